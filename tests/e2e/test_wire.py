# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What an integrator calls over JSON-2 and XML-RPC, and what they get.

Nothing is sent here: the server has neither cron nor job runner, so what is queued
stays queued and every answer can be looked at.
"""

import json
import threading
import xmlrpc.client
from datetime import date

import pytest

from tests.e2e.world import ACCOUNT, MESSAGE, NOTICE, WireError, XmlRpc

FIELDS = {"id", "partner_id", "message_id", "state", "reason", "detail"}
CONSENT_FIELDS = {"id", "partner_id", "consent_id", "state", "reason", "detail"}
INVOICE = "wab_invoice_v1"
RECEIPT = "wab_payment_receipt_v1"
SECRETS = ("simulator-token", "simulator-app-secret")


@pytest.fixture(scope="module")
def world(by_hand):
    return by_hand


@pytest.fixture(scope="module")
def xml(world):
    return XmlRpc(world, "clerk")


@pytest.fixture(params=["json", "xml"])
def wire(request, world, xml):
    """Both ways in: `call(model, method, ids, **kwargs)` as the clerk."""
    return world.clerk if request.param == "json" else xml


def has_null(value):
    """Tell whether there is a null anywhere inside."""
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    if isinstance(value, list):
        return any(map(has_null, value))
    return value is None


def payment(world, partner_id, **values):
    """Register a customer payment of its own; return its id."""
    made = world.admin.create(
        "account.payment",
        {
            "partner_id": partner_id,
            "partner_type": "customer",
            "payment_type": "inbound",
            "amount": 120.5,
            "date": date.today().isoformat(),
            **values,
        },
    )
    world.admin.call("account.payment", "action_post", [made])
    return made


# --- sending --------------------------------------------------------------------------


def test_send_answers_one_row_per_document(world, wire):
    number, partner = world.partner()
    move = world.invoice(partner)
    results = wire.call("account.move", "wab_send", [move])
    (result,) = results
    assert set(result) == FIELDS and not has_null(results)
    assert result["id"] == move and result["partner_id"] == partner
    assert (result["state"], result["reason"], result["detail"]) == (
        "queued",
        False,
        False,
    )
    row = world.messages([result["message_id"]], "recipient", "uuid", "body")
    message = row[result["message_id"]]
    assert message["recipient"] == number and message["uuid"]
    assert "120,50" in message["body"]


def test_send_receipt(world, wire):
    _number, partner = world.partner()
    paid = payment(world, partner)
    (result,) = wire.call("account.payment", "wab_send_receipt", [paid])
    assert set(result) == FIELDS and result["state"] == "queued", result


def test_send_to_a_contact(world, wire):
    _number, partner = world.partner()
    (result,) = wire.call("res.partner", "wab_send", [partner], template=f"{NOTICE}:es")
    assert set(result) == FIELDS and result["state"] == "queued", result
    assert result["id"] == result["partner_id"] == partner


def test_template_by_id_by_name_and_by_xml_id(world, wire):
    _number, partner = world.partner()
    move = world.invoice(partner)
    (english,) = world.admin.search(
        "whatsapp.billing.template",
        [("template_name", "=", INVOICE), ("lang_code", "=", "en")],
        ["id"],
    )
    xml_id = f"e2e.template_{english['id']}"
    if not world.sql(
        "SELECT 1 FROM ir_model_data WHERE name = %s", [f"template_{english['id']}"]
    ):
        world.admin.create(
            "ir.model.data",
            {
                "module": "e2e",
                "name": f"template_{english['id']}",
                "model": "whatsapp.billing.template",
                "res_id": english["id"],
            },
        )
    for reference in (english["id"], f"{INVOICE}:en", xml_id):
        (result,) = wire.call("account.move", "wab_send", [move], template=reference)
        assert result["state"] == "queued", (reference, result)
        row = world.messages([result["message_id"]], "lang_code")
        # The customer's language is Spanish: what was given is used as it is.
        assert row[result["message_id"]]["lang_code"] == "en"


def test_partners_replace_the_recipients(world, wire):
    _number, partner = world.partner()
    others = world.partners(2)
    move = world.invoice(partner)
    results = wire.call(
        "account.move", "wab_send", [move], partners=list(others.values())
    )
    assert [r["partner_id"] for r in results] == list(others.values())
    rows = world.messages([r["message_id"] for r in results], "recipient")
    assert {row["recipient"] for row in rows.values()} == set(others)


def test_language_falls_back_from_mexican_to_spanish(world, wire):
    world.sql("UPDATE res_lang SET active = TRUE WHERE code = 'es_MX'")
    _number, partner = world.partner()
    world.sql("UPDATE res_partner SET lang = 'es_MX' WHERE id = %s", [partner])
    (result,) = wire.call("account.move", "wab_send", [world.invoice(partner)])
    row = world.messages([result["message_id"]], "lang_code")
    assert row[result["message_id"]]["lang_code"] == "es"


# --- keys -----------------------------------------------------------------------------


def test_key_returns_the_first_result_whatever_else_is_passed(world, wire):
    _number, partner = world.partner()
    _number, other = world.partner()
    move = world.invoice(partner)
    key = f"key-{move}"
    first = wire.call("account.move", "wab_send", [move], key=key)
    again = wire.call("account.move", "wab_send", [move], key=key)
    different = wire.call(
        "account.move",
        "wab_send",
        [move],
        key=key,
        partners=[other],
        template=f"{INVOICE}:en",
    )
    assert first == again == different
    assert count_messages(world, move) == 1


def test_key_answers_a_refusal_the_same_way_later(world, wire):
    _number, partner = world.partner()
    move = world.invoice(partner, post=False)
    key = f"draft-{move}"
    first = wire.call("account.move", "wab_send", [move], key=key)
    world.admin.call("account.move", "action_post", [move])
    assert wire.call("account.move", "wab_send", [move], key=key) == first
    assert first[0]["reason"] == "draft"


def test_key_counts_per_method_and_record(world, wire):
    _number, partner = world.partner()
    moves = [world.invoice(partner) for _ in range(2)]
    key = f"shared-{moves[0]}"
    first = wire.call("account.move", "wab_send", moves, key=key)
    second = wire.call(
        "res.partner", "wab_send", [partner], template=f"{NOTICE}:es", key=key
    )
    assert len({r["message_id"] for r in first + second}) == 3


def test_key_of_one_document_in_a_later_batch(world, wire):
    """Only the document that is new is sent; results come in the order asked for."""
    _number, partner = world.partner()
    moves = [world.invoice(partner) for _ in range(3)]
    key = f"batch-{moves[0]}"
    (known,) = wire.call("account.move", "wab_send", [moves[1]], key=key)
    results = wire.call("account.move", "wab_send", moves, key=key)
    assert known in results
    assert sorted(r["id"] for r in results) == sorted(moves)
    assert [count_messages(world, move) for move in moves] == [1, 1, 1]


def test_two_calls_at_once_with_one_key_make_one_message(world):
    _number, partner = world.partner()
    moves = [world.invoice(partner) for _ in range(2)]
    for move in moves:
        answers, barrier = [], threading.Barrier(4)

        def call(move=move, answers=answers, barrier=barrier):
            barrier.wait()
            answers.append(
                world.clerk.call(
                    "account.move", "wab_send", [move], key=f"at-once-{move}"
                )
            )

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(answers) == 4, "a concurrent call failed"
        assert all(answer == answers[0] for answer in answers)
        assert count_messages(world, move) == 1


def test_key_has_at_most_64_characters(world, wire):
    _number, partner = world.partner()
    move = world.invoice(partner)
    assert wire.call("account.move", "wab_send", [move], key="k" * 64)
    with pytest.raises((WireError, xmlrpc.client.Fault)):
        wire.call("account.move", "wab_send", [move], key="k" * 65)


def count_messages(world, move):
    return world.admin.call(
        MESSAGE,
        "search_count",
        domain=[("res_model", "=", "account.move"), ("res_id", "=", move)],
    )


# --- reasons --------------------------------------------------------------------------


def draft(world):
    return world.invoice(world.partner()[1], post=False)


def cancelled(world):
    move = draft(world)
    world.admin.call("account.move", "button_cancel", [move])
    return move


def vendor_bill(world):
    return world.invoice(world.partner()[1], post=False, move_type="in_invoice")


def not_enabled(world):
    return world.invoice(world.partner(wab_enabled=False)[1])


def disabled_on_invoice(world):
    move = world.invoice(world.partner()[1])
    world.admin.call("account.move", "write", [move], vals={"wab_enabled": False})
    return move


def not_opted_in(world):
    """Switched on for this one invoice, without any consent of the customer."""
    move = not_enabled(world)
    world.admin.call("account.move", "write", [move], vals={"wab_enabled": True})
    return move


def opted_out(world):
    _number, partner = world.partner()
    world.clerk.call(
        "res.partner", "wab_opt_out", [partner], purpose="billing", evidence="By phone"
    )
    return world.invoice(partner)


def no_number(world):
    return world.invoice(world.partner(phone=False)[1])


def invalid_number(world):
    return world.invoice(world.partner(phone="12")[1])


def no_country(world):
    """A national number of somebody without country: never the company's."""
    return world.invoice(world.partner(phone="600 111 222", country_id=False)[1])


REASONS = {
    "draft": (draft, "draft"),
    "cancelled": (cancelled, "cancelled_document"),
    "not_enabled": (not_enabled, "not_enabled"),
    "disabled_on_invoice": (disabled_on_invoice, "not_enabled"),
    "not_opted_in": (not_opted_in, "not_opted_in"),
    "opted_out": (opted_out, "opted_out"),
    "no_number": (no_number, "no_number"),
    "invalid_number": (invalid_number, "invalid_number"),
    "no_country": (no_country, "invalid_number"),
}


@pytest.mark.parametrize("case", REASONS)
def test_reason(world, wire, case):
    make, reason = REASONS[case]
    move = make(world)
    (result,) = wire.call("account.move", "wab_send", [move])
    assert result["reason"] == reason, result
    assert result["state"] == "canceled" and result["detail"]
    assert set(result) == FIELDS and not has_null(result)
    # The answer to "why did they not get it" is always a row.
    row = world.messages([result["message_id"]], "reason", "trace")[
        result["message_id"]
    ]
    assert row["reason"] == reason
    assert row["trace"][-1]["passed"] is False


def test_reason_wrong_document_type(world, wire):
    """A receipt's template for an invoice."""
    move = world.invoice(world.partner()[1])
    (result,) = wire.call("account.move", "wab_send", [move], template=f"{RECEIPT}:es")
    assert result["reason"] == "wrong_document_type", result


def test_reason_no_template(world, wire):
    move = world.invoice(world.partner()[1])
    for reference in ("there_is_none:es", "e2e.nothing", 999999):
        (result,) = wire.call("account.move", "wab_send", [move], template=reference)
        assert result["reason"] == "no_template", (reference, result)


def test_reason_no_template_for_a_vendor_bill(world, wire):
    move = vendor_bill(world)
    world.admin.call("account.move", "action_post", [move])
    (result,) = wire.call("account.move", "wab_send", [move])
    assert result["reason"] in ("no_template", "wrong_document_type"), result


def test_reason_template_not_approved(world, wire):
    template = world.admin.create(
        "whatsapp.billing.template",
        {
            "name": "Not submitted",
            "template_name": f"not_submitted_{world.partner()[1]}",
            "lang_code": "es",
            "category": "utility",
            "document_type": "customer_message",
            "header_type": "none",
            "body": "Hola, su cuenta ha sido actualizada.",
            "account_id": world.state["account"],
        },
    )
    _number, partner = world.partner()
    (result,) = wire.call("res.partner", "wab_send", [partner], template=template)
    assert result["reason"] == "template_not_approved", result


def test_reason_bad_parameter(world, wire):
    """A number of an invoice that is too long to fit into 1,024 characters."""
    move = world.invoice(world.partner()[1])
    (before,) = world.admin.read("account.move", [move], ["name"])
    name = f"{'N' * 1100}/2026/00001"
    world.admin.call("account.move", "write", [move], vals={"name": name})
    (result,) = wire.call("account.move", "wab_send", [move])
    # The next invoice is numbered after the last one.
    world.admin.call("account.move", "write", [move], vals={"name": before["name"]})
    assert result["reason"] == "bad_parameter" and result["detail"], result


def test_reason_account_inactive_waits(world, wire):
    """The one obstacle that goes away by itself: the message is held, not lost."""
    move = world.invoice(world.partner()[1])
    world.admin.call(ACCOUNT, "action_deactivate", [world.state["account"]])
    try:
        (result,) = wire.call("account.move", "wab_send", [move])
    finally:
        world.admin.call(ACCOUNT, "action_activate", [world.state["account"]])
    assert (result["reason"], result["state"]) == ("account_inactive", "held"), result


def test_detail_is_in_the_language_of_the_caller(world):
    move = draft(world)
    spanish = world.rpc("clerk", lang="es_ES")
    english = world.clerk.call("account.move", "wab_send", [move])[0]["detail"]
    assert isinstance(english, str) and english
    assert isinstance(
        spanish.call("account.move", "wab_send", [move])[0]["detail"], str
    )


def test_one_bad_record_among_many_never_raises(world, wire):
    good = [world.invoice(partner) for partner in world.partners(2).values()]
    bad = {make(world): reason for make, reason in REASONS.values()}
    results = wire.call("account.move", "wab_send", [good[0], *bad, good[1]])
    found = {r["id"]: r["reason"] for r in results}
    assert found == {**bad, good[0]: False, good[1]: False}
    assert not has_null(results)


# --- consent --------------------------------------------------------------------------


def test_opt_in_and_out(world, wire):
    _number, partner = world.partner(wab_enabled=False)
    (result,) = wire.call(
        "res.partner", "wab_opt_in", [partner], purpose="billing", evidence="Form 7"
    )
    assert set(result) == CONSENT_FIELDS and not has_null(result)
    assert (result["state"], result["reason"]) == ("granted", False)
    read = world.clerk.read(
        "res.partner", [partner], ["wab_enabled", "wab_opt_in_state"]
    )
    assert read[0]["wab_enabled"] is True
    # An opt-in to billing covers collections until withdrawn, and no marketing.
    assert read[0]["wab_opt_in_state"] == {
        "billing": "granted",
        "collections": "granted",
        "marketing": "none",
    }
    (out,) = wire.call(
        "res.partner", "wab_opt_out", [partner], purpose="collections", evidence="Mail"
    )
    assert out["state"] == "withdrawn" and out["consent_id"] != result["consent_id"]
    state = world.clerk.read("res.partner", [partner], ["wab_opt_in_state"])[0]
    assert state["wab_opt_in_state"]["billing"] == "granted"
    assert state["wab_opt_in_state"]["collections"] == "withdrawn"


def test_consent_key_writes_one_row(world, wire):
    _number, partner = world.partner(wab_enabled=False)
    arguments = {"purpose": "marketing", "evidence": "Fair", "key": f"fair-{partner}"}
    first = wire.call("res.partner", "wab_opt_in", [partner], **arguments)
    second = wire.call("res.partner", "wab_opt_in", [partner], **arguments)
    assert first == second
    rows = world.clerk.call(
        "whatsapp.billing.consent",
        "search_count",
        domain=[("partner_id", "=", partner)],
    )
    assert rows == 1


@pytest.mark.parametrize(
    "values",
    [
        {"purpose": "birthday", "evidence": "x"},
        {"purpose": "billing", "evidence": ""},
        {"purpose": "billing", "evidence": "x" * 2001},
    ],
)
def test_consent_refuses_what_proves_nothing(world, wire, values):
    _number, partner = world.partner()
    with pytest.raises((WireError, xmlrpc.client.Fault)):
        wire.call("res.partner", "wab_opt_in", [partner], **values)


def test_switch_written_by_another_program_says_so(world, wire):
    """On and off, alone and as a line of the company: it was nobody's form."""
    _number, partner = world.partner(wab_enabled=False)
    _number, company = world.partner(is_company=True)
    world.admin.call("res.partner", "write", [partner], vals={"parent_id": company})
    wire.call("res.partner", "write", [partner], vals={"wab_enabled": True})
    line = {"child_ids": [[1, partner, {"wab_enabled": False}]]}
    wire.call("res.partner", "write", [company], vals=line)
    rows = world.admin.call(
        "whatsapp.billing.consent",
        "search_read",
        domain=[("partner_id", "=", partner), ("purpose", "=", "billing")],
        fields=["granted", "source", "user_id"],
        order="id",
    )
    assert [row["granted"] for row in rows] == [True, False]
    assert {row["source"] for row in rows} == {"rpc"}
    assert {row["user_id"][0] for row in rows} == {world.state["uids"]["clerk"]}


@pytest.mark.parametrize("name", ["wab_recipient", "wab_person_key", "wab_new_number"])
def test_lines_of_a_company_write_no_address(world, wire, name):
    """Bills would go where no form shows, or to an old number."""
    _number, company = world.partner(is_company=True)
    number, person = world.partner()
    world.admin.call("res.partner", "write", [person], vals={"parent_id": company})
    for command in (
        [1, person, {name: "+34611111111"}],
        [0, 0, {name: "+34611111111"}],
    ):
        with pytest.raises((WireError, xmlrpc.client.Fault)):
            wire.call("res.partner", "write", [company], vals={"child_ids": [command]})
    read = world.admin.read("res.partner", [person], ["wab_recipient", "child_ids"])
    assert read[0]["wab_recipient"] == number
    read = world.admin.read("res.partner", [company], ["child_ids"])
    assert read[0]["child_ids"] == [person]


def test_consent_is_append_only(world):
    _number, partner = world.partner()
    (row, *_rest) = world.clerk.call(
        "whatsapp.billing.consent", "search", domain=[("partner_id", "=", partner)]
    )
    for method, kwargs in (("write", {"vals": {"granted": False}}), ("unlink", {})):
        for user in (world.clerk, world.admin):
            with pytest.raises(WireError):
                user.call("whatsapp.billing.consent", method, [row], **kwargs)


# --- rights and secrets ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "method", "kwargs"),
    [
        ("account.move", "wab_send", {}),
        ("account.payment", "wab_send_receipt", {}),
        ("res.partner", "wab_send", {"template": f"{NOTICE}:es"}),
        ("res.partner", "wab_opt_in", {"purpose": "billing", "evidence": "x"}),
        ("res.partner", "wab_opt_out", {"purpose": "billing", "evidence": "x"}),
    ],
)
def test_without_rights_it_raises(world, model, method, kwargs):
    _number, partner = world.partner()
    made = {
        "account.move": lambda: world.invoice(partner),
        "account.payment": lambda: payment(world, partner),
        "res.partner": lambda: partner,
    }[model]()
    with pytest.raises(WireError) as refused:
        world.outsider.call(model, method, [made], **kwargs)
    assert refused.value.status == 403
    with pytest.raises(xmlrpc.client.Fault):
        XmlRpc(world, "outsider").call(model, method, [made], **kwargs)


def test_wrong_key_is_401(world):
    stranger = world.rpc("clerk")
    stranger._headers["Authorization"] = "Bearer 0000"
    with pytest.raises(WireError) as refused:
        stranger.call("account.move", "wab_send", [1])
    assert refused.value.status == 401


def test_messages_are_not_a_users_to_write(world):
    _number, partner = world.partner()
    (message,) = world.notify([partner])
    for user in (world.clerk, world.admin):
        for method, kwargs in (
            ("write", {"vals": {"state": "sent"}}),
            ("unlink", {}),
        ):
            with pytest.raises(WireError):
                user.call(MESSAGE, method, [message], **kwargs)
        with pytest.raises(WireError):
            user.call(MESSAGE, "create", vals_list=[{"recipient": "+34600000000"}])


def test_configuration_is_the_managers(world):
    account = world.state["account"]
    for values in (
        {"name": "x"},
        {"access_token": "x"},
        {"api_url": "http://127.0.0.1"},
    ):
        with pytest.raises(WireError) as refused:
            world.clerk.call(ACCOUNT, "write", [account], vals=values)
        assert refused.value.status == 403
    for method in ("action_connect", "action_deactivate", "action_sync_templates"):
        with pytest.raises(WireError) as refused:
            world.clerk.call(ACCOUNT, method, [account])
        assert refused.value.status == 403


def test_secrets_read_as_false(world):
    account = world.state["account"]
    for user in (world.admin, world.clerk):
        (row,) = user.read(ACCOUNT, [account], ["access_token", "app_secret"])
        assert row["access_token"] is False and row["app_secret"] is False
    (row,) = world.admin.read(
        ACCOUNT, [account], ["has_access_token", "has_app_secret"]
    )
    assert row["has_access_token"] is True and row["has_app_secret"] is True


CIPHERS = ("access_token_cipher", "app_secret_cipher", "binding", "webhook_token")


@pytest.mark.parametrize("field", CIPHERS)
def test_what_is_stored_cannot_be_read(world, field):
    account = world.state["account"]
    attempts = [
        ("read", [account], {"fields": [field]}),
        ("search_read", None, {"domain": [], "fields": [field]}),
        ("search", None, {"domain": [(field, "like", "a")]}),
        ("export_data", [account], {"fields_to_export": [field]}),
        (
            "formatted_read_group",
            None,
            {"domain": [], "groupby": [field], "aggregates": ["__count"]},
        ),
        ("web_read", [account], {"specification": {field: {}}}),
        ("search_count", None, {"domain": [(field, "!=", False)]}),
    ]
    for method, ids, kwargs in attempts:
        for user in (world.admin, world.clerk):
            with pytest.raises(WireError):
                user.call(ACCOUNT, method, ids, **kwargs)


def test_nothing_that_can_be_asked_contains_a_secret(world):
    account = world.state["account"]
    names = list(world.admin.call(ACCOUNT, "fields_get", attributes=["type"]))
    answers = [
        world.admin.call(ACCOUNT, "read", [account], fields=names),
        world.admin.call(ACCOUNT, "read", [account]),
        world.admin.call(
            ACCOUNT, "web_read", [account], specification={n: {} for n in names}
        ),
        world.admin.call(
            ACCOUNT,
            "export_data",
            [account],
            fields_to_export=["access_token", "app_secret"],
        ),
        world.admin.call(ACCOUNT, "copy_data", [account]),
        world.admin.call(
            "mail.message",
            "search_read",
            domain=[("model", "=", ACCOUNT)],
            fields=["body", "tracking_value_ids"],
        ),
    ]
    text = json.dumps(answers)
    for secret in SECRETS:
        assert secret not in text
    assert "gAAAA" not in text, "not even the ciphertext"


def test_secrets_are_not_in_the_log(world):
    text = world.server.log.read_text(errors="replace")
    for secret in SECRETS:
        assert secret not in text


def test_writing_empty_keeps_the_secret(world):
    account = world.state["account"]
    for empty in ("", False):
        world.admin.call(
            ACCOUNT,
            "write",
            [account],
            vals={"access_token": empty, "app_secret": empty},
        )
    (row,) = world.admin.read(
        ACCOUNT, [account], ["has_access_token", "has_app_secret"]
    )
    assert row["has_access_token"] is True and row["has_app_secret"] is True


def test_another_host_gets_no_token(world):
    """Whoever may change the address must not thereby read the token."""
    account = world.admin.create(
        ACCOUNT,
        {
            "name": "Moved",
            "waba_uid": "200000000000002",
            "app_uid": "100000000000002",
            "app_secret": "simulator-app-secret-2",
            "access_token": "simulator-token-2",
            "api_url": world.phones.url,
        },
    )
    world.admin.call(ACCOUNT, "action_connect", [account])
    elsewhere = f"http://localhost:{world.phones.port}"
    world.admin.call(ACCOUNT, "write", [account], vals={"api_url": elsewhere})
    (row,) = world.admin.read(ACCOUNT, [account], ["has_access_token"])
    assert row["has_access_token"] is False


def test_a_copy_of_the_database_sends_nothing_until_confirmed(world):
    """The number is the same, so both would write to the same customers."""
    world.reset()
    account = world.state["account"]
    world.sql(
        "UPDATE whatsapp_billing_account SET binding = 'another' WHERE id = %s",
        [account],
    )
    number, partner = world.partner()
    try:
        (result,) = world.clerk.call(
            "res.partner", "wab_send", [partner], template=f"{NOTICE}:es"
        )
        world.send()
        assert (result["state"], result["reason"]) == ("held", "account_inactive")
        assert world.received([number]) == [0]
    finally:
        world.admin.call(ACCOUNT, "action_confirm_binding", [account])
    world.send()
    assert world.received([number]) == [1]


# --- reading ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        ACCOUNT,
        MESSAGE,
        "whatsapp.billing.template",
        "whatsapp.billing.phone",
        "whatsapp.billing.consent",
        "whatsapp.billing.webhook.event",
    ],
)
def test_everything_can_be_read_over_xml_rpc(world, model):
    """XML-RPC cannot carry null: no field of ours may read as None."""
    world.notify([world.partner()[1]])
    admin = XmlRpc(world, "admin")
    ids = world.admin.call(model, "search", domain=[], limit=20)
    rows = admin.call(model, "read", ids) if ids else []
    assert len(rows) == len(ids)
    assert not has_null(rows)
