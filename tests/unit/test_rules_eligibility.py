# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import eligibility, reasons
from rules.eligibility import Facts, decide, recheck, still_holds
from rules.parameters import MAX_DOCUMENT_BYTES

GOOD = Facts(
    document_state="posted",
    document_type="invoice",
    expected_document_type="invoice",
    payment_state="not_paid",
    enabled=True,
    consent="granted",
    number="+34600111222",
    template_found=True,
    template_status="approved",
    file_size=1000,
    account_state="connected",
)
REMINDER = replace(
    GOOD,
    purpose="collections",
    is_reminder=True,
    expected_document_type="payment_reminder",
)

# In the documented order: each failure hides the ones below it.
FAILURES = [
    ("draft", {"document_state": "draft"}),
    ("cancelled_document", {"document_state": "cancel"}),
    ("wrong_document_type", {"document_type": "credit_note"}),
    ("kind_off", {"kind_off": True}),
    ("window_closed", {"window_open": False}),
    ("superseded", {"superseded": True}),
    ("already_paid", {"payment_state": "paid"}),
    ("disputed", {"disputed": True}),
    ("paused", {"paused": True}),
    ("superseded", {"recipient_active": False}),
    ("opted_out", {"consent": "withdrawn"}),
    ("not_enabled", {"enabled": False}),
    # Hidden by a missing number itself: then there is nothing to agree to.
    ("not_opted_in", {"consent": "none", "number_problem": None}),
    ("no_number", {"number": "", "number_problem": "no_number"}),
    ("invalid_number", {"number_problem": "invalid_number"}),
    ("no_template", {"template_found": False}),
    ("template_not_approved", {"template_status": "paused"}),
    ("template_unsupported", {"template_obstacle": "A carousel cannot be sent."}),
    ("bad_parameter", {"parameter_problem": "The value is empty."}),
    ("file_too_large", {"file_size": MAX_DOCUMENT_BYTES + 1}),
    ("account_inactive", {"account_state": "error"}),
]


@pytest.mark.parametrize("facts", [GOOD, REMINDER])
def test_nothing_in_the_way_sends(facts):
    decision = decide(facts)
    assert decision.reason is None
    assert all(step["passed"] for step in decision.trace)
    assert recheck(facts).reason is None


@pytest.mark.parametrize(("reason", "change"), FAILURES)
def test_each_fact_has_its_reason(reason, change):
    decision = decide(replace(REMINDER, **change))
    assert decision.reason == reason
    assert [step["passed"] for step in decision.trace[:-1]] == [True] * (
        len(decision.trace) - 1
    )
    assert decision.trace[-1]["passed"] is False


def test_order_of_reasons_is_the_documented_one():
    values = {}
    for reason, change in reversed(FAILURES):
        # Some share a field; the upper one then stands for both.
        values.update(change)
        assert decide(replace(REMINDER, **values)).reason == reason


def test_nothing_known_sends_nothing():
    assert decide(Facts()).reason == "not_enabled"
    assert decide(Facts(enabled=True)).reason == "not_opted_in"
    assert decide(Facts(enabled=True, consent="granted")).reason == "no_number"


@pytest.mark.parametrize(
    "field",
    [
        "payment_state",
        "disputed",
        "paused",
    ],
)
def test_what_stops_a_reminder_does_not_stop_the_document(field):
    bad = {"payment_state": "paid", "disputed": True, "paused": True}[field]
    assert decide(replace(GOOD, **{field: bad})).reason is None
    assert decide(replace(REMINDER, **{field: bad})).reason is not None


@pytest.mark.parametrize(
    ("payment_state", "reason"),
    [
        ("not_paid", None),
        ("partial", None),
        (None, None),
        ("paid", "already_paid"),
        ("in_payment", "already_paid"),
        ("reversed", "already_paid"),
        ("invoicing_legacy", "already_paid"),
        ("blocked", "paused"),
    ],
)
def test_reminder_looks_at_the_payment(payment_state, reason):
    assert decide(replace(REMINDER, payment_state=payment_state)).reason == reason


@pytest.mark.parametrize(
    ("is_reminder", "document", "template", "reason"),
    [
        (False, "invoice", "invoice", None),
        (False, "invoice", None, None),
        (False, None, None, None),
        (False, None, "invoice", "wrong_document_type"),
        (False, "invoice", "credit_note", "wrong_document_type"),
        (False, "invoice", "payment_reminder", "wrong_document_type"),
        (True, "invoice", "payment_reminder", None),
        (True, "sales_receipt", "payment_reminder", None),
        (True, "payment_reminder", "payment_reminder", None),
        (True, "credit_note", "payment_reminder", "wrong_document_type"),
        (True, "payment_reminder", "invoice", "wrong_document_type"),
    ],
)
def test_template_must_fit_the_document(is_reminder, document, template, reason):
    facts = replace(
        GOOD,
        is_reminder=is_reminder,
        document_type=document,
        expected_document_type=template,
    )
    assert decide(facts).reason == reason


@pytest.mark.parametrize(
    ("purpose", "consent", "reason"),
    [
        ("billing", "granted", None),
        ("billing", "by_contract", None),
        ("collections", "by_contract", None),
        ("marketing", "granted", None),
        ("marketing", "by_contract", "not_opted_in"),
        ("billing", "none", "not_opted_in"),
        ("billing", "perhaps", "not_opted_in"),
        ("billing", "withdrawn", "opted_out"),
    ],
)
def test_consent_decides_per_purpose(purpose, consent, reason):
    assert decide(replace(GOOD, purpose=purpose, consent=consent)).reason == reason


def test_opt_out_is_said_before_the_switch():
    facts = replace(GOOD, enabled=False, consent="withdrawn")
    assert decide(facts).reason == "opted_out"


@pytest.mark.parametrize(
    ("number", "problem", "reason"),
    [
        ("+34600111222", None, None),
        ("US.1349120865", None, None),
        ("", None, "no_number"),
        ("", "no_number", "no_number"),
        ("", "invalid_number", "invalid_number"),
        ("600111222", "invalid_number", "invalid_number"),
        ("600111222", None, "invalid_number"),
        ("+34600111222", "invalid_number", "invalid_number"),
    ],
)
def test_number_is_looked_at_whoever_read_it(number, problem, reason):
    assert decide(replace(GOOD, number=number, number_problem=problem)).reason == reason


@pytest.mark.parametrize(
    "status", ["draft", "pending", "rejected", "disabled", "unknown", "", None]
)
def test_only_an_approved_template_is_sent(status):
    facts = replace(GOOD, template_status=status)
    assert decide(facts).reason == "template_not_approved"


@pytest.mark.parametrize("state", ["connected", "pending"])
def test_account_whose_credentials_were_taken_sends(state):
    assert decide(replace(GOOD, account_state=state)).reason is None


@pytest.mark.parametrize("state", ["draft", "inactive", "error", None])
def test_no_other_account_sends(state):
    assert decide(replace(GOOD, account_state=state)).reason == "account_inactive"


def test_file_of_just_the_limit_is_sent():
    assert decide(replace(GOOD, file_size=MAX_DOCUMENT_BYTES)).reason is None
    assert decide(replace(GOOD, file_size=None)).reason is None


def test_message_without_document_asks_nothing_about_one():
    facts = replace(
        GOOD, document_state=None, document_type=None, expected_document_type=None
    )
    decision = decide(facts)
    assert decision.reason is None
    assert "document_posted" not in {step["rule"] for step in decision.trace}


def test_single_send_is_recorded_and_respects_everything():
    decision = decide(replace(GOOD, explicit=True))
    assert decision.trace[0] == {
        "rule": "sent_by_person",
        "value": True,
        "passed": True,
    }
    for reason, change in FAILURES:
        assert decide(replace(REMINDER, explicit=True, **change)).reason == reason


def test_recheck_leaves_out_parameters_and_file():
    facts = replace(GOOD, parameter_problem="Empty.", file_size=MAX_DOCUMENT_BYTES * 2)
    assert decide(facts).reason == "bad_parameter"
    decision = recheck(facts)
    assert decision.reason is None
    assert not {"parameters_fit", "file_fits"} & {s["rule"] for s in decision.trace}


@pytest.mark.parametrize(("reason", "change"), FAILURES)
def test_recheck_gives_the_same_reason_for_what_can_change(reason, change):
    expected = None if reason in {"bad_parameter", "file_too_large"} else reason
    assert recheck(replace(REMINDER, **change)).reason == expected


optional = st.none() | st.sampled_from(["", "x", "invoice", "posted", "draft", "paid"])
any_facts = st.builds(
    Facts,
    purpose=st.sampled_from(["billing", "collections", "marketing"]),
    document_state=st.sampled_from([None, "draft", "posted", "cancel"]),
    document_type=optional,
    expected_document_type=optional,
    payment_state=optional,
    is_reminder=st.booleans(),
    enabled=st.booleans(),
    explicit=st.booleans(),
    consent=st.sampled_from(["granted", "withdrawn", "none", "by_contract"]),
    number=st.sampled_from(["", "+34600111222", "US.1349120865", "junk 600111222"]),
    number_problem=st.sampled_from([None, "no_number", "invalid_number"]),
    template_found=st.booleans(),
    template_status=optional | st.just("approved"),
    parameter_problem=st.none() | st.text(max_size=5),
    file_size=st.none() | st.integers(0, 2 * MAX_DOCUMENT_BYTES),
    account_state=optional | st.just("connected"),
    paused=st.booleans(),
    disputed=st.booleans(),
    superseded=st.booleans(),
    recipient_active=st.booleans(),
)


@given(any_facts)
def test_trace_explains_every_decision(facts):
    decision = decide(facts)
    assert decision.reason is None or decision.reason in reasons.REASONS
    failed = [step for step in decision.trace if not step["passed"]]
    assert failed == (decision.trace[-1:] if decision.reason else [])
    for step in decision.trace:
        assert set(step) == {"rule", "value", "passed"}
        assert step["rule"] in reasons.RULE_NAMES
    text = json.dumps(decision.trace)
    assert "600111222" not in text
    assert "1349120865" not in text


# One value of a message that goes, or two, are another: drawn from anything, none goes.
nearly_good_facts = st.builds(
    lambda facts, other, names: replace(
        facts, **{name: getattr(other, name) for name in names}
    ),
    st.sampled_from([GOOD, REMINDER]),
    any_facts,
    st.sets(st.sampled_from([field.name for field in fields(Facts)]), max_size=2),
)


def test_nothing_goes_without_consent_number_template_and_account():
    went = set()

    @given(nearly_good_facts)
    @settings(max_examples=2000)
    def ask(facts):
        reason = decide(facts).reason
        went.add(reason is None)
        if reason is None:
            assert facts.enabled
            assert facts.consent in {"granted", "by_contract"}
            assert facts.number
            assert facts.template_status == "approved"
            assert facts.account_state == "connected"
            assert not facts.superseded
            assert recheck(facts).reason is None

    ask()
    assert went == {True, False}, "all went, or none"


def test_every_rule_and_reason_has_its_words():
    # Some traces are written elsewhere: by who asked, by the credits' ledger, by what
    # is left of a joint reminder.
    elsewhere = {"sent_by_person", "credit_available", "same_customer"}
    names = {rule.name for rule in eligibility.RULES} | elsewhere
    assert names == set(reasons.RULE_NAMES)
    assert {rule.reason for rule in eligibility.RULES} <= set(reasons.REASONS)
    assert reasons.HOLDING.issubset(reasons.REASONS)
    for reason in reasons.REASONS:
        assert eligibility.describe(reason).endswith(".")
    assert eligibility.describe_rule("number_valid") == "The number is valid"
    assert eligibility.describe("new_reason") == "new_reason"
    assert eligibility.describe_rule("new_rule") == "new_rule"


@pytest.mark.parametrize(
    ("category", "types", "needed"),
    [
        ("marketing", ("invoice", "invoice"), "billing"),
        ("marketing", ("customer_message", "customer_message"), "marketing"),
        ("marketing", ("customer_message", "invoice"), "marketing"),
        ("marketing", ("invoice", None), "marketing"),
        ("utility", ("invoice", None), "billing"),
        (None, (None, None), "billing"),
    ],
)
def test_an_offer_needs_consent_to_offers(category, types, needed):
    assert eligibility.needed_consent("billing", category, types) == needed
    assert eligibility.needed_consent("marketing", category, types) == "marketing"


def test_what_still_holds_is_what_has_no_reason():
    went = set()

    @given(nearly_good_facts)
    @settings(max_examples=2000)
    def ask(facts):
        holds = still_holds(facts)
        went.add(holds)
        assert holds == (recheck(facts).reason is None)

    ask()
    assert went == {True, False}, "all went, or none"
