# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""One simulator for all, and one template database that every module copies."""

import json
import os
import signal

import pytest

from tests.e2e import world as worlds
from tools import odoo, postgres

DOCUMENT_TYPES = (
    "invoice",
    "credit_note",
    "sales_receipt",
    "payment_receipt",
    "payment_reminder",
)

SETUP = """
import json
env["res.lang"]._activate_lang("es_ES")
company = env.company
company.partner_id.write({"country_id": env.ref("base.es").id})
groups = {
    "clerk": [
        "base.group_user",
        "base.group_partner_manager",
        "account.group_account_invoice",
    ],
    "outsider": ["base.group_user"],
}
for login, names in groups.items():
    env["res.users"].create({
        "name": login.capitalize(), "login": login, "password": login,
        "email": login + "@example.com",
        "group_ids": [(6, 0, [env.ref(name).id for name in names])],
    })
keys, uids = {}, {}
for login in ("admin", "clerk", "outsider"):
    user = env["res.users"].search([("login", "=", login)])
    uids[login] = user.id
    keys[login] = env["res.users.apikeys"].with_user(user).sudo()._generate(
        None, "e2e", None)
crons = {
    name: env.ref("whatsapp_billing." + name).id
    for name in (
        "ir_cron_outbox", "ir_cron_inbox", "ir_cron_templates", "ir_cron_collections",
    )
}
env.cr.commit()
print("STATE " + json.dumps({"keys": keys, "uids": uids, "crons": crons}))
"""

NOTICE = {
    "name": "Notice",
    "template_name": worlds.NOTICE,
    "lang_code": "es",
    "category": "utility",
    "document_type": "customer_message",
    "header_type": "none",
    "body": "Hola {{1}}, su cuenta ha sido actualizada. Gracias por su confianza.",
    "variable_ids": [
        (
            0,
            0,
            {
                "component": "body",
                "position": 1,
                "name": "Recipient",
                "field_path": "recipient.name",
                "format": "text",
                "sample": "Ana",
            },
        )
    ],
}


def pytest_configure(config):
    """End servers and simulator also when the run itself is ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def phones():
    """The simulator, used by one module after the other."""
    simulator = worlds.Phones().start()
    yield simulator
    simulator.stop()


@pytest.fixture(scope="session")
def template(phones):
    """The database to copy: module, users with keys, a connected account."""
    if _is_current():
        return worlds.TEMPLATE
    odoo.make_database(worlds.TEMPLATE, fresh=True)
    state = _prepare(worlds.TEMPLATE, SETUP)
    _save(state)
    server = worlds.Server(
        "wab_e2e_prepare",
        db_name=worlds.TEMPLATE,
        dbfilter=f"^{worlds.TEMPLATE}$",
        **worlds.BY_HAND,
    )
    odoo.set_parameter(worlds.TEMPLATE, "web.base.url", server.url)
    odoo.set_parameter(worlds.TEMPLATE, "web.base.url.freeze", "True")
    try:
        _connect(worlds.World(worlds.TEMPLATE, server.start(), phones), state)
    finally:
        server.stop()
    _save({**state, "digest": odoo.source_digest()})
    return worlds.TEMPLATE


def _is_current():
    """Tell whether the template fits the module's files, or is to be kept anyway."""
    if not postgres.exists(worlds.TEMPLATE):
        return False
    digest = (worlds.saved_state(worlds.TEMPLATE) or {}).get("digest")
    return bool(digest) and (
        digest == odoo.source_digest() or bool(os.environ.get("E2E_KEEP"))
    )


def _prepare(database, script):
    output = odoo.shell_script(database, script)
    line = next(row for row in output.splitlines() if row.startswith("STATE "))
    return json.loads(line[6:])


def _save(state):
    odoo.set_parameter(worlds.TEMPLATE, worlds.STATE_KEY, json.dumps(state))


def _connect(world, state):
    """Connect the account and have its templates approved, all over the wire."""
    world.control.post("reset", review="auto")
    state["account"] = world.admin.create(
        worlds.ACCOUNT,
        {
            "name": "Simulated account",
            "provider": "meta",
            "waba_uid": worlds.WABA_UID,
            "app_uid": "100000000000001",
            "app_secret": worlds.APP_SECRET,
            "access_token": "simulator-token",
            "api_url": world.phones.url,
        },
    )
    world.admin.call(worlds.ACCOUNT, "action_connect", [state["account"]])
    ready = world.admin.search(
        "whatsapp.billing.template", [("document_type", "in", DOCUMENT_TYPES)], ["id"]
    )
    notice = world.admin.create(
        "whatsapp.billing.template", {**NOTICE, "account_id": state["account"]}
    )
    ids = [row["id"] for row in ready] + [notice]
    for template_id in ids:
        world.admin.call("whatsapp.billing.template", "action_submit", [template_id])
    world.take_in()
    statuses = world.admin.read("whatsapp.billing.template", ids, ["status"])
    assert {row["status"] for row in statuses} == {"approved"}, statuses
    state["base"] = world.server.url
    ours = world.control.get("state")["wabas"][0]["templates"]
    state["templates"] = [
        {
            key: row[key]
            for key in ("waba_uid", "name", "language", "category", "components")
        }
        for row in ours
        if row["name"] != "hello_world"
    ]


@pytest.fixture(scope="module")
def by_hand(request, template, phones):
    """A server where nothing happens by itself: no job runner and no cron."""
    name = f"wab_e2e_{request.module.__name__.rpartition('.test_')[2]}"
    with worlds.serving(name, phones, **worlds.BY_HAND) as world:
        yield world


@pytest.fixture(scope="module")
def running(request, template, phones):
    """A server as in production: workers, job runner, cron."""
    name = f"wab_e2e_{request.module.__name__.rpartition('.test_')[2]}_run"
    with worlds.serving(name, phones) as world:
        yield world
