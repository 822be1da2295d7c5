# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Whatever news come, in whatever order: the journal about a message adds up."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rules import ledger, pricing
from rules.pricing import ZERO, Settlement

PRICES = {
    "utility": Decimal(2),
    "marketing": Decimal(7),
    "service": Decimal(2),
    "authentication": Decimal(3),
}
told = st.builds(
    Settlement,
    category=st.sampled_from([None, *PRICES]),
    is_free=st.booleans(),
    type=st.just("regular"),
)
news = st.tuples(
    st.sampled_from(
        ["queued", "sent", "delivered", "read", "failed", "canceled", "give_up"]
    ),
    told,
    st.booleans(),
)


def price(category):
    return pricing.Rate(
        1, "spain", category, False, date(2026, 10, 1), PRICES[category], ZERO, "USD"
    )


def reserve(number=0, category="utility", amount=None):
    amount = PRICES[category] if amount is None else amount
    return ledger.Entry("reserve", number, ZERO, amount, category, 1)


def written(posting, covered=True):
    """Return the entry that the wallet makes of a posting."""
    taken = posting.extra if covered else ZERO
    return ledger.Entry(
        posting.kind,
        posting.attempt_no,
        posting.amount - taken,
        posting.reserved,
        posting.category,
        posting.rate.uid if posting.rate else None,
        posting.shortfall + posting.extra - taken,
        posting.settlement.is_free,
    )


def close(entries, state, settlement=None, category="utility"):
    return ledger.close(entries, state, settlement or Settlement(), category, price)


@given(st.lists(news, max_size=12), st.sampled_from(list(PRICES)))
def test_whatever_comes_the_entries_add_up(events, category):
    entries = []
    for state, settlement, covered in events:
        if state == "queued":
            if not ledger.is_open(entries) and not ledger.is_settled(entries):
                count = sum(entry.kind == "reserve" for entry in entries)
                entries.append(reserve(count, category))
            continue
        posting = (
            ledger.release(entries)
            if state == "give_up"
            else close(entries, state, settlement, category)
        )
        if posting is None:
            continue
        entries.append(written(posting, covered))
        again = close(entries, state, settlement, category)
        if state != "give_up":
            assert again is None, "what comes twice is written once"
        assert posting.extra >= 0
        assert ledger.outstanding(entries) == ZERO
        assert ledger.charged(entries) >= ZERO
    kinds = [(entry.kind, entry.attempt_no) for entry in entries]
    assert len(set(kinds)) == len(kinds)
    assert sum(entry.kind == "settle" for entry in entries) <= 1
    assert ledger.outstanding(entries) >= ZERO
    assert all(entry.amount == 0 for entry in entries if entry.kind == "release")


@given(st.lists(told, max_size=6))
def test_the_last_word_of_the_provider_is_what_it_costs(words):
    entries = [reserve()]
    for word in [Settlement("utility"), *words]:
        posting = close(entries, "delivered", word)
        if posting:
            entries.append(written(posting))
    last = words[-1] if words else Settlement("utility")
    if last.is_free:
        assert ledger.charged(entries) == ZERO
    elif last.category:
        assert ledger.charged(entries) == PRICES[last.category]


def test_a_delivered_message_costs_what_was_reserved_whatever_prices_are_now():
    entries = [reserve(amount=Decimal("1.5"))]
    posting = close(entries, "delivered", Settlement("utility"))
    assert (posting.amount, posting.reserved) == (Decimal("-1.5"), Decimal("-1.5"))
    assert posting.extra == ZERO


def test_another_category_costs_its_own_price():
    posting = close([reserve()], "delivered", Settlement("marketing"))
    assert (posting.amount, posting.extra) == (Decimal(-2), Decimal(5))
    posting = close([reserve(category="marketing")], "read", Settlement("utility"))
    assert (posting.amount, posting.reserved) == (Decimal(-2), Decimal(-7))


def test_a_free_text_that_is_charged_after_all_costs_its_price():
    entries = [reserve(category="service", amount=ZERO)]
    posting = close(entries, "delivered", Settlement("service"), "service")
    assert posting.extra == PRICES["service"]


def test_a_free_message_gives_its_reservation_back():
    posting = close([reserve()], "delivered", Settlement("utility", is_free=True))
    assert (posting.kind, posting.amount, posting.reserved) == ("release", 0, -2)


def test_a_late_delivery_after_the_release_is_charged():
    entries = [reserve()]
    entries.append(written(ledger.release(entries)))
    posting = close(entries, "delivered", Settlement("utility"))
    assert (posting.kind, posting.extra, posting.reserved) == ("settle", 2, 0)


def test_what_was_not_covered_is_forgiven_first():
    entries = [reserve()]
    posting = close(entries, "delivered", Settlement("marketing"))
    entries.append(written(posting, covered=False))
    posting = close(entries, "delivered", Settlement("utility"))
    assert (posting.amount, posting.shortfall) == (ZERO, Decimal(-5))


def test_what_was_never_reserved_has_nothing_to_release():
    assert close([], "failed") is None
    assert close([], "canceled") is None
    assert ledger.release([]) is None
    assert close([], "sent") is None
