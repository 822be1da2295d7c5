# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.markup import to_html


class Reader(HTMLParser):
    """Collect what a browser would see."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.stack, self.texts = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert not attrs
        self.tags.append(tag)
        self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert not attrs
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("plain", "plain"),
        ("*bold*", "<strong>bold</strong>"),
        ("_italic_", "<em>italic</em>"),
        ("~gone~", "<del>gone</del>"),
        ("```code```", "<code>code</code>"),
        ("`code`", "<code>code</code>"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("_*~all~*_", "<em><strong><del>all</del></strong></em>"),
        ("*a* and *b*", "<strong>a</strong> and <strong>b</strong>"),
        ("(*a*), _b_!", "(<strong>a</strong>), <em>b</em>!"),
        ("*two words*", "<strong>two words</strong>"),
        ("2*3*4", "2*3*4"),
        ("snake_case_name", "snake_case_name"),
        ("* a*", "* a*"),
        ("*a *", "*a *"),
        ("*a", "*a"),
        ("*a\nb*", "*a<br/>b*"),
        ("a\r\nb\rc\n", "a<br/>b<br/>c<br/>"),
        ("```*a*\n_b_```", "<code>*a*<br/>_b_</code>"),
        ("*a ```b``` c*", "*a <code>b</code> c*"),
        ("**", "**"),
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("*<script>*", "<strong>&lt;script&gt;</strong>"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_markup_becomes_html(text, html):
    assert to_html(text) == html


@given(st.text() | st.text("*_~`<>&\"'/!-= \n\rab", max_size=60))
def test_html_is_safe_and_loses_nothing_but_markup(text):
    html = to_html(text)
    seen = Reader(html)
    assert set(seen.tags) <= {"strong", "em", "del", "code", "br"}
    assert not seen.stack
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert html.count("<br/>") == lines.count("\n")
    kept = [char for char in lines if char not in "*_~`\n"]
    assert [char for char in "".join(seen.texts) if char not in "*_~`"] == kept


@given(st.text("ab<>& \n"))
def test_text_without_markup_is_only_escaped(text):
    assert unescape(to_html(text).replace("<br/>", "\n")) == text


def test_long_hostile_text_takes_linear_work():
    for piece in ("*a ", "_*~", "`", "```a", "*_", "~ _ * "):
        assert len(to_html(piece * 20_000)) >= 20_000
