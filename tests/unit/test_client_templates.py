# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest

from clients.whatsapp import PROFILES
from clients.whatsapp.base import TemplateInfo
from clients.whatsapp.meta.templates import MetaTemplates
from clients.whatsapp.templates import PlainTemplates
from rules.template_parts import ButtonContent, TemplateContent

CONTENT = TemplateContent(
    name="invoice_ready",
    header_type="text",
    header_text="Invoice {{1}}",
    body="Dear {{1}}, {{2}} is due; {{1}}, thank you.",
    footer="Acme",
    buttons=(
        ButtonContent("quick_reply", "I have paid"),
        ButtonContent("phone", "Call", "+34910000001"),
        ButtonContent("url", "View", "https://acme.example/{{1}}"),
    ),
)
SAMPLES = {
    ("header", 1): "INV/1",
    ("body", 1): "Ana",
    ("body", 2): "10 €",
    ("button", 3): "my/invoices/1",
}


CODECS = {name: profile.templates for name, profile in PROFILES.items()}
CODECS["plain"] = PlainTemplates()


@pytest.fixture(params=sorted(CODECS))
def codec(request):
    return CODECS[request.param]


def info(components, **values):
    return TemplateInfo("1", "invoice_ready", "en", components=components, **values)


def test_what_is_written_is_read_again(codec):
    components = codec.build(CONTENT, SAMPLES)
    assert codec.parse(components) == {
        "header_type": "text",
        "header_text": CONTENT.header_text,
        "body": CONTENT.body,
        "footer": "Acme",
    }
    assert codec.parse_samples(components) == SAMPLES
    buttons = codec.parse_buttons(components)
    assert [(row["kind"], row["text"]) for row in buttons] == [
        (button.kind, button.text) for button in CONTENT.buttons
    ]
    assert codec.texts(components) == {
        "header": CONTENT.header_text,
        "body": CONTENT.body,
    }
    assert codec.links(components) == {3: "https://acme.example/{{1}}"}
    assert codec.button_at(components, 3) == ("View", "https://acme.example/{{1}}")
    assert codec.button_at(components, 1) == ("I have paid", "")
    assert codec.unsupported(info(components)) == []


def test_a_file_comes_with_its_sample(codec):
    content = TemplateContent(name="x", header_type="document", body="Hello")
    components = codec.build(content, {}, "4::handle")
    assert "4::handle" in str(components)
    assert codec.parse(components)["header_type"] == "document"


def test_nothing_at_all_is_a_template_without_words(codec):
    for components in (None, []):
        assert codec.parse(components)["body"] == ""
        assert codec.parse_samples(components) == {}
        assert codec.links(components) == {}


def test_what_is_not_known_cannot_be_filled_in():
    listed = [
        {"type": "BODY", "text": "Hello {{name}}"},
        {"type": "HOLOGRAM"},
        {"type": "HEADER", "format": "VIDEO"},
        {"type": "BUTTONS", "buttons": [{"type": "OTP"}, {}]},
    ]
    found = MetaTemplates().unsupported(info(listed, source="AUTO_GENERATED"))
    assert found == ["HOLOGRAM", "VIDEO", "OTP", "UNKNOWN", "NAMED", "AUTO_GENERATED"]
