# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.template_check import ButtonContent, TemplateContent, blocks, check
from rules.template_parts import has_emoji

PAY = ButtonContent("url", "Ver factura", "https://erp.example.com/{{1}}")
CALL = ButtonContent("phone", "Llamar", "+34 910 00 00 01")
PAID = ButtonContent("quick_reply", "Ya he pagado")
HELP = ButtonContent("quick_reply", "Tengo una duda")

GOOD = TemplateContent(
    name="invoice_ready_v1",
    category="utility",
    header_type="document",
    body="Hola {{1}}, tu factura {{2}} por {{3}} vence el {{4}}. Gracias.",
    footer="Responde BAJA para no recibir avisos",
    buttons=(PAY, CALL, PAID, HELP),
    samples={
        ("body", 1): "Ana",
        ("body", 2): "F-42",
        ("body", 3): "120,00 EUR",
        ("body", 4): "30/11/2026",
        ("button", 1): "my/invoices/42",
        ("button", 2): "my/invoices/42",
    },
)


def codes(**changes):
    return {problem.code for problem in check(replace(GOOD, **changes))}


def test_good_template_has_no_problem():
    assert check(GOOD) == []
    assert not blocks(check(GOOD))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_missing"),
        ("Invoice", "name_characters"),
        ("factura-lista", "name_characters"),
        ("año", "name_characters"),
        ("a\n", "name_characters"),
        ("a" * 513, "name_too_long"),
    ],
)
def test_bad_name_is_named(name, code):
    assert codes(name=name) == {code}


@pytest.mark.parametrize(
    ("category", "code"),
    [
        ("authentication", "category_authentication"),
        ("", "category_unknown"),
        ("UTILITY", "category_unknown"),
    ],
)
def test_bad_category_is_named(category, code):
    assert codes(category=category) == {code}


@pytest.mark.parametrize(
    ("kind", "text", "samples", "expected"),
    [
        ("none", "", {}, set()),
        ("image", "", {}, {"header_type"}),
        ("text", "Factura lista", {}, set()),
        ("text", "Factura {{1}}", {("header", 1): "F-42"}, set()),
        ("text", "INV_2026_1", {}, set()),
        ("text", "Factura {{1}}", {}, {"sample_missing"}),
        ("text", "", {}, {"header_missing"}),
        ("text", "  ", {}, {"header_missing"}),
        ("text", "x" * 61, {}, {"header_too_long"}),
        ("text", "a\nb", {}, {"header_lines"}),
        ("text", "Factura 🧾", {}, {"header_emoji"}),
        ("text", "*Factura*", {}, {"header_markup"}),
        ("text", "_Factura_", {}, {"header_markup"}),
        (
            "text",
            "{{1}} {{2}}",
            {("header", 1): "a", ("header", 2): "b"},
            {"header_variables"},
        ),
        ("text", "Factura {{2}}", {("header", 2): "a"}, {"variable_numbers"}),
        ("document", "Factura", {}, {"header_exclusive"}),
        ("none", "Factura", {}, {"header_exclusive"}),
        ("video", "", {}, {"header_type"}),
    ],
)
def test_header_rules(kind, text, samples, expected):
    samples = {**GOOD.samples, **samples}
    assert codes(header_type=kind, header_text=text, samples=samples) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Gracias por su compra", set()),
        ("Hola a {{1}}.", set()),
        ("Hola {{1}}.", {"variables_too_many"}),
        ("Hola {{1}}, otra vez {{1}}, gracias.", set()),
        ("a\n\nb", set()),
        ("", {"body_missing"}),
        (" \n", {"body_missing"}),
        ("x" * 1025, {"body_too_long"}),
        ("{{1}} tiene una factura", {"variable_at_edge"}),
        ("Tiene una factura {{1}}", {"variable_at_edge"}),
        ("Tiene una factura {{1}}\n ", {"variable_at_edge"}),
        ("Hola a usted {{1}}{{2}} y más texto.", {"variables_adjacent"}),
        ("Hola a usted {{1}} \n{{2}} y más texto.", {"variables_adjacent"}),
        ("Hola {{2}}, qué tal.", {"variable_numbers"}),
        ("Hola {{1}}, qué tal {{3}} todo.", {"variable_numbers"}),
        ("Hola {{cliente}}, qué tal.", {"variable_form"}),
        ("Hola {{ 1 }}, qué tal.", {"variable_form"}),
        ("Hola {{1}, qué tal.", {"variable_form"}),
        ("Hola {{0}}, qué tal.", {"variable_form"}),
        ("Hola {{1#}}, qué tal.", {"variable_form"}),
        ("Hola {{9}}, qué tal.", {"variable_numbers", "sample_missing"}),
        ("a {{1}}, {{2}}, {{3}} b", {"variables_too_many"}),
        ("a\n\n\nb", {"body_spacing"}),
        ("a\tb", {"body_spacing"}),
        ("a     b", {"body_spacing"}),
    ],
)
def test_body_rules(body, expected):
    assert codes(body=body) == expected


@pytest.mark.parametrize("sample", ["", " ", "\u200b"])
def test_every_variable_needs_a_sample(sample):
    problems = check(replace(GOOD, samples={**GOOD.samples, ("body", 2): sample}))
    assert [(p.code, p.component) for p in problems] == [("sample_missing", "body")]
    assert "{{2}}" in problems[0].message


@pytest.mark.parametrize(
    ("footer", "expected"),
    [
        ("", set()),
        ("x" * 61, {"footer_too_long"}),
        ("Gracias {{1}}", {"footer_variables"}),
        ("a\nb", {"footer_lines"}),
        ("Gracias 🙏", {"footer_emoji"}),
        ("Gracias ❤️", {"footer_emoji"}),
        ("© Azure Interior™ 5 €", set()),
    ],
)
def test_footer_rules(footer, expected):
    assert codes(footer=footer) == expected


def quick(count):
    return tuple(ButtonContent("quick_reply", f"Opción {n}") for n in range(count))


@pytest.mark.parametrize(
    ("buttons", "expected"),
    [
        ((), set()),
        ((PAY,), set()),
        ((PAID, PAY, CALL), set()),
        (quick(10), set()),
        (quick(11), {"buttons_too_many"}),
        ((PAY, replace(PAY, text="Pagar")), {"buttons_url"}),
        ((CALL, replace(CALL, text="Otro")), {"buttons_phone"}),
        ((PAID, PAY, HELP), {"buttons_order"}),
        ((PAID, replace(PAID, text="YA HE PAGADO!")), {"button_text_twice"}),
        ((ButtonContent("quick_reply", ""),), {"button_text_missing"}),
        ((ButtonContent("quick_reply", "x" * 26),), {"button_text_too_long"}),
        ((ButtonContent("quick_reply", "Hola {{1}}"),), {"button_variables"}),
        ((ButtonContent("quick_reply", "Sí 👍"),), {"button_emoji"}),
        ((ButtonContent("quick_reply", "a\nb"),), {"button_lines"}),
        ((ButtonContent("quick_reply", "*Sí*"),), {"button_markup"}),
        ((ButtonContent("flow", "Empezar"),), {"button_kind"}),
    ],
)
def test_button_rules(buttons, expected):
    assert codes(buttons=buttons) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://erp.example.com/", set()),
        ("http://127.0.0.1:8069/my/{{1}}", set()),
        ("https://erp.example.com/?token={{1}}", set()),
        ("", {"url_invalid"}),
        ("erp.example.com", {"url_invalid"}),
        ("ftp://erp.example.com", {"url_invalid"}),
        ("https://", {"url_invalid"}),
        ("https://[", {"url_invalid"}),
        ("https://a b.com", {"url_invalid"}),
        ("https://{{1}}", {"url_invalid"}),
        ("javascript:alert(1)", {"url_invalid"}),
        ("https://wa.me/34600111222", {"url_shortened"}),
        ("https://www.bit.ly/x", {"url_shortened"}),
        ("https://e.com/" + "x" * 2000, {"button_too_long"}),
        ("https://e.com/{{1}}/pay", {"url_variable"}),
        ("https://e.com/{{1}}{{1}}", {"url_variable"}),
        ("https://e.com/{{2}}", {"variable_numbers"}),
        ("https://e.com/{{token}}", {"variable_form"}),
    ],
)
def test_link_rules(url, expected):
    assert codes(buttons=(replace(PAY, value=url),)) == expected


def test_link_variable_needs_a_sample():
    samples = {key: text for key, text in GOOD.samples.items() if key[0] == "body"}
    assert codes(samples=samples) == {"sample_missing"}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+34910000001", set()),
        ("+1 (555) 010-0003", set()),
        ("910000001", {"phone_invalid"}),
        ("0034910000001", {"phone_invalid"}),
        ("+34 llamar", {"phone_invalid"}),
        ("", {"phone_invalid"}),
        ("+" + "1" * 20, {"button_too_long"}),
    ],
)
def test_phone_rules(number, expected):
    assert codes(buttons=(replace(CALL, value=number),)) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("You have a 20% off coupon", "wording_promotion"),
        ("Aprovecha: 10 % dto. hasta hoy", "wording_promotion"),
        ("Hola, tenemos un DESCUENTO especial", "wording_promotion"),
        ("Não perca a promoção de hoje", "wording_promotion"),
        ("Pay now or we take legal action", "wording_threat"),
        ("Iniciaremos acciones legales", "wording_threat"),
        ("Seu nome vai para o Serasa", "wording_threat"),
        ("Reply with your card number", "wording_sensitive"),
        ("Envía tu número de tarjeta", "wording_sensitive"),
    ],
)
def test_risky_wording_is_a_warning(body, code):
    problems = check(replace(GOOD, body=body))
    assert {problem.code for problem in problems} == {code}
    assert {problem.severity for problem in problems} == {"warning"}
    assert not blocks(problems)


def test_plain_billing_words_are_no_warning():
    assert codes(body="Su factura, IVA 21 % incluido, sin embargo, vence hoy.") == set()


def test_offers_are_welcome_in_marketing():
    assert codes(category="marketing", body="Hoy 20% off, gran descuento") == set()


def test_offer_is_found_in_every_part():
    button = ButtonContent("quick_reply", "Ver oferta")
    problems = check(
        replace(GOOD, footer="Gran oferta", buttons=(button,), header_type="none")
    )
    assert [problem.component for problem in problems] == ["footer", "button"]


@given(
    st.builds(
        TemplateContent,
        name=st.text(max_size=8),
        category=st.sampled_from(["utility", "marketing", "x"]),
        header_type=st.sampled_from(["none", "text", "document", "x"]),
        header_text=st.text("{}1a*\n🙏 ", max_size=8),
        body=st.text("{}12a%\n\t ", max_size=20),
        footer=st.text(max_size=8),
        buttons=st.lists(
            st.builds(
                ButtonContent,
                kind=st.sampled_from(["url", "phone", "quick_reply", "x"]),
                text=st.text("{}%a ", max_size=30),
                value=st.text("htps:/[]{}1+", max_size=12),
            ),
            max_size=4,
        ).map(tuple),
    )
)
def test_any_draft_gets_sentences_and_no_crash(content):
    for problem in check(content):
        assert problem.message.endswith(".")
        assert problem.severity in {"error", "warning"}
        assert problem.component in {
            *("name", "category", "header", "body", "footer", "button")
        }


@pytest.mark.parametrize("text", ["😀", "🇪🇸", "1️⃣", "⭐", "☎️", "👍🏽", "⏰", "🧾"])
def test_emoji_are_recognised(text):
    assert has_emoji(text)


@pytest.mark.parametrize("text", ["abc", "© ® ™", "5 €", "ñ", "漢字", "→", "1", "…"])
def test_other_signs_are_no_emoji(text):
    assert not has_emoji(text)


def test_document_header_needs_a_document():
    assert codes(has_file=False) == {"header_without_file"}
    assert codes(has_file=False, header_type="none") == set()


def test_each_link_has_an_example_of_its_own():
    help_page = ButtonContent("url", "Ayuda", "https://help.example.net/t/{{1}}")
    samples = {k: v for k, v in GOOD.samples.items() if k != ("button", 2)}
    problems = [
        problem
        for problem in check(replace(GOOD, buttons=(PAY, help_page), samples=samples))
        if problem.code == "sample_missing"
    ]
    assert [problem.params for problem in problems] == [{"text": "Ayuda"}]
