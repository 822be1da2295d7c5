# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import parameters

texts = st.text() | st.text(" \t\n\u00a0\u200b\u200d\x00ab", max_size=20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Calle Mayor 1\n28001 Madrid", "Calle Mayor 1 28001 Madrid"),
        ("a\r\n\t b     c", "a b c"),
        ("  x  ", "x"),
        ("1.234,00\u00a0€", "1.234,00\u00a0€"),
        ("1\u202f234", "1\u202f234"),
        ("a\x00b\u200bc\ufeff", "abc"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("👨\u200d👩\u200d👧 🏴\U000e0067\U000e0062\U000e007f", None),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627", None),
        ("a\u2028b", "a b"),
        ("a \x00 b", "a b"),
        ("\u200b\u200d", ""),
        (" \n ", ""),
        ("\u200d", ""),
        ("", ""),
    ],
)
def test_clean_makes_what_meta_accepts(text, expected):
    assert parameters.clean(text) == (text if expected is None else expected)


@given(texts)
def test_clean_text_is_one_line_and_stays_clean(text):
    cleaned = parameters.clean(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in cleaned)
    assert "  " not in cleaned
    assert cleaned == cleaned.strip()
    assert parameters.clean(cleaned) == cleaned
    cleaned.encode()


def test_placeholders_in_order_of_appearance():
    assert parameters.placeholders("{{2}} a {{1}} {{2}}") == [2, 1, 2]
    assert parameters.placeholders("{{0}} {{01}} {{ 1 }} {{a}} {1} {{\u0661}}") == []


def test_fill_is_done_in_one_pass():
    assert parameters.fill("{{1}} and {{2}}", ["{{2}}", "b"]) == "{{2}} and b"
    assert parameters.fill("{{1}} {{3}}", ["a"]) == "a {{3}}"


@given(st.lists(texts.filter(lambda text: "{" not in text), max_size=5))
def test_fill_leaves_no_placeholder_that_has_a_value(params):
    template = " ".join(f"{{{{{n}}}}}" for n in range(1, len(params) + 1))
    assert parameters.fill(template, params) == " ".join(params)


def test_parameters_that_fit_are_no_problem():
    assert parameters.check("Hi {{1}}, {{2}} {{1}}.", ["Ana", "5 €"]) is None
    assert parameters.check("Hello", []) is None


@pytest.mark.parametrize("params", [[], ["a"], ["a", "b", "c"]])
def test_wrong_count_is_refused(params):
    problem = parameters.check("{{1}} {{2}}", params)
    assert problem.code == "parameter_count"
    assert f"takes 2 values here and {len(params)}" in problem.message


@pytest.mark.parametrize("value", ["", "  ", "\n", "\u200b"])
def test_empty_value_is_refused(value):
    problem = parameters.check("a {{1}} b {{2}} c", ["x", value])
    assert (problem.code, problem.params) == ("parameter_empty", {"position": 2})
    assert "{{2}} is empty" in problem.message


@pytest.mark.parametrize(
    ("component", "limit"), [("body", 1024), ("header", 60), ("button", 2000)]
)
def test_filled_text_that_is_too_long_is_refused(component, limit):
    fits = "x" * (limit - 4)
    assert parameters.check("ab {{1}}.", [fits], component) is None
    problem = parameters.check("ab {{1}}.", [fits + "x"], component)
    assert problem.code == "parameter_too_long"
    assert problem.component == component
    assert str(limit) in problem.message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("INV/2026/00001", "INV-2026-00001.pdf"),
        ("INV-2026-00001.PDF", "INV-2026-00001.pdf"),
        ("Draft Invoice (* 12)", "Draft-Invoice-12.pdf"),
        ("../../etc/passwd", "etc-passwd.pdf"),
        ("..", "document.pdf"),
        ("", "document.pdf"),
        ("a\u202efdp.exe", "a-fdp.exe.pdf"),
        ("Factura Ñ 1", "Factura-Ñ-1.pdf"),
        ('a"b\r\nc', "a-b-c.pdf"),
        ("فاتورة/1", "فاتورة-1.pdf"),
    ],
)
def test_file_is_named_after_the_document(name, expected):
    assert parameters.filename(name) == expected


@given(st.text())
def test_file_name_is_safe(name):
    filename = parameters.filename(name)
    assert filename.endswith(".pdf")
    assert 4 < len(filename) <= 84
    assert not set(filename) & set('/\\:*?"<>|\r\n\0 ')
    assert ".." not in filename
    assert not filename.startswith((".", "-"))
    assert parameters.filename(filename) == filename


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("my/invoices/1?access_token=ab-12", "my/invoices/1?access_token=…"),
        (
            "See https://x.example/my?access_token=ab-12&lang=es now",
            "See https://x.example/my?access_token=…&lang=es now",
        ),
        ("/my/tasks/3?pid=4&hash=f00d#top", "/my/tasks/3?pid=4&hash=…#top"),
        ("Hello Ana, access token", "Hello Ana, access token"),
    ],
)
def test_text_to_read_has_no_key(text, read):
    assert parameters.without_keys(text) == read


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("INV_2026_00007.pdf", "INV_2026_00007.pdf"),
        (
            "Factura INV_2026_00007 Ana Perez & Hijos _ Sur.pdf",
            "Factura INV_2026_00007 Ana Perez & Hijos _ Sur.pdf",
        ),
        ("../../etc/passwd.pdf", "_._etc_passwd.pdf"),
        ("a\u202efdp.exe", "a fdp.exe.pdf"),
        ('a"b\r\n\tc', "a_b c.pdf"),
        ("  \u200b ", "document.pdf"),
        ("فاتورة 1.PDF", "فاتورة 1.pdf"),
        ("x" * 300, "x" * 120 + ".pdf"),
    ],
)
def test_attached_file_keeps_the_name_of_its_report(name, expected):
    assert parameters.attachment_filename(name) == expected


@given(st.text())
def test_attached_file_name_is_safe(name):
    filename = parameters.attachment_filename(name)
    assert filename.endswith(".pdf")
    assert 4 < len(filename) <= 124
    assert not set(filename) & set('/\\:*?"<>|\r\n\0\t')
    assert not filename.startswith((".", "-", " "))
    assert parameters.attachment_filename(filename) == filename


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("", -1, "{{3}} "),
        ("", 0, "{{3}} "),
        ("Hello", -1, "Hello {{3}} "),
        ("Hello ", 6, "Hello {{3}} "),
        ("Hello, it is due.", 5, "Hello {{3}}, it is due."),
        ("Hello it is due.", 6, "Hello {{3}} it is due."),
        ("Hello it", 0, "{{3}} Hello it"),
        ("(due)", 1, "({{3}} due)"),
        ("¿", 1, "¿{{3}} "),
        ("a {{1}} b", 2, "a {{3}} {{1}} b"),
        # A cursor inside of what is no text to people.
        ("a {{1}} b", 4, "a {{1}} {{3}} b"),
        ("a {{1}}", 7, "a {{1}} {{3}} "),
        ("line\n", 5, "line\n{{3}} "),
        ("short", 99, "short {{3}} "),
    ],
)
def test_variable_is_inserted_where_the_cursor_stands(text, place, expected):
    assert parameters.insert(text, 3, place) == expected


@given(st.text("ab {}1.", max_size=12), st.integers(-1, 12))
def test_inserting_breaks_no_other_variable(text, place):
    before = parameters.placeholders(text)
    inserted = parameters.insert(text, 9, place)
    assert sorted(parameters.placeholders(inserted)) == sorted([*before, 9])
