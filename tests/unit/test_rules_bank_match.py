# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import bank_match
from rules.bank_match import Instalment, Transaction

EUR, USD = 1, 2
ANA, BEN = 10, 20


@pytest.mark.parametrize(
    ("label", "reference"),
    [
        ("Pago factura F/123", "F/123"),
        ("pago factura f/123.", "F/123"),
        ("INV/2026/00022", "INV/2026/00022"),
        ("Fra. INV-2026-00022, gracias", "INV/2026/00022"),
        ("TRF INV 2026 00022 ACME", "INV/2026/00022"),
        ("INV202600022", "INV/2026/00022"),
        ("INV\uff0f2026\uff0f00022", "INV/2026/00022"),
        ("INV/2026\u201300022", "INV/2026/00022"),
        ("invoice 14", "14"),
        ("/ROC/F/12//USTD", "F/12"),
        ("Invoices F/12, F/13", "F/13"),
        ("+++000/0000/00202+++", "+++000/0000/00202+++"),
        ("000000000202", "+++000/0000/00202+++"),
        ("RF67INV000037", "RF67 INV0 0003 7"),
        ("RF67 INV000 037", "RF67 INV0 0003 7"),
        ("\u0641\u0627\u062a\u0648\u0631\u0629 \u0661\u0664", "14"),
        ("FACTURA \u00d1/7", "\u00f1/7"),
        ("Factura N\u00baF/12", "F/12"),
        ("fra. n\u00b014", "14"),
        ("\u2116 2026-14", "2026-14"),
    ],
)
def test_a_reference_is_found_however_a_bank_writes_it(label, reference):
    assert bank_match.names(label, reference)


@pytest.mark.parametrize(
    ("label", "reference"),
    [
        ("Pago factura F/123", "F/12"),
        ("Pago factura F/12", "F/123"),
        ("INV/2026/00012", "INV/2026/0001"),
        ("INV/2026/0001", "INV/2026/00012"),
        ("Transfer 1814", "14"),
        ("Transfer 14/11/2026", "14"),
        ("Transfer of 14,50", "14"),
        ("2014-14-1", "14"),
        ("AF/12", "F/12"),
        ("A/F/12", "F/12"),
        ("F/12/3", "F/12"),
        ("F/12-1", "F-12"),
        ("F/1 23", "F/12/3"),
        ("123", "12/3"),
        ("12/3", "1/23"),
        ("nothing", ""),
        ("", "F/12"),
        ("anything", "///"),
    ],
)
def test_part_of_something_longer_is_not_named(label, reference):
    assert not bank_match.names(label, reference)


def money(number=1, label="", debtor=None, amount=50.0, currency=EUR, day=1):
    return Transaction(number, label, debtor, currency, amount, date(2026, 11, day))


def owed(line, name, debtor=ANA, amount=50.0, currency=EUR, due=1, **values):
    values = {"document_id": line, "document_amount": amount} | values
    return Instalment(
        line_id=line,
        debtor_id=debtor,
        names=(name,),
        currency=currency,
        amount=amount,
        due=date(2026, 10, due),
        **values,
    )


def test_money_that_names_another_customers_invoice_is_theirs():
    lines = [owed(1, "F/12"), owed(2, "F/123", BEN)]
    assert bank_match.match([money(label="Pago factura F/123")], lines) == {2: 1}
    # Whoever's account it came from.
    assert bank_match.match([money(label="F/123", debtor=ANA)], lines) == {2: 1}


def test_one_payment_is_for_one_invoice_the_named_one_first():
    lines = [owed(1, "INV/21"), owed(2, "INV/22", due=20)]
    assert bank_match.match([money(label="INV/22", debtor=ANA)], lines) == {2: 1}
    assert bank_match.match([money(debtor=ANA)], lines) == {1: 1}
    both = [money(1, debtor=ANA), money(2, "INV/21", ANA, day=9)]
    assert bank_match.match(both, lines) == {1: 2, 2: 1}


def test_money_that_names_something_settled_or_of_another_amount_is_not_others():
    lines = [owed(1, "INV/21"), owed(2, "INV/22", amount=70.0)]
    assert not bank_match.match([money(label="INV/22", debtor=ANA)], lines)
    settled = [owed(1, "INV/21"), owed(2, "INV/20", is_open=False)]
    assert not bank_match.match([money(label="INV/20", debtor=ANA)], settled)


def test_amounts_of_different_currencies_are_not_compared():
    lines = [owed(1, "INV/21", currency=USD)]
    assert not bank_match.match([money(label="INV/21", debtor=ANA)], lines)
    paid = money(label="INV/21", debtor=ANA, currency=USD)
    assert bank_match.match([paid], lines) == {1: 1}


def test_the_whole_of_an_invoice_or_one_instalment():
    parts = [
        owed(n, "INV/21", due=n, document_id=5, document_amount=100.0) for n in (1, 2)
    ]
    assert bank_match.match([money(label="INV/21")], parts) == {1: 1}
    assert bank_match.match([money(debtor=ANA, amount=100.0)], parts) == {1: 1, 2: 1}


def test_a_bare_short_number_of_somebody_else_says_nothing():
    lines = [owed(1, "14")]
    assert bank_match.match([money(label="Pago 14")], lines) == {1: 1}
    assert not bank_match.match([money(label="Pago 14", debtor=BEN)], lines)


def test_words_that_may_be_numbers():
    found = bank_match.candidates("pago (inv/2026/00022), gracias #F/12.")
    assert {"INV/2026/00022", "F/12"} <= found
    assert "gracias" not in found


@given(st.text(max_size=40), st.text(max_size=12))
def test_any_text_is_answered(label, reference):
    assert bank_match.names(label, reference) in (True, False)
    bank_match.candidates(label)


amounts = st.sampled_from([50.0, 70.0])
labels = st.sampled_from(["", "F/1", "F/2", "F/12"])


@given(
    st.lists(st.tuples(labels, st.sampled_from([None, ANA, BEN]), amounts), max_size=5),
    st.lists(st.tuples(st.sampled_from([ANA, BEN]), amounts), max_size=5),
)
def test_no_payment_is_used_twice(paid, lines):
    transactions = [
        money(n, label, debtor, amount)
        for n, (label, debtor, amount) in enumerate(paid)
    ]
    open_lines = [
        owed(n, f"F/{n}", debtor, amount) for n, (debtor, amount) in enumerate(lines)
    ]
    found = bank_match.match(transactions, open_lines)
    assert len(set(found.values())) == len(found)
    by_id = {one.transaction_id: one for one in transactions}
    for line_id, number in found.items():
        assert by_id[number].amount == open_lines[line_id].amount
