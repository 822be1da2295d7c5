# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Installed, updated, uninstalled: nothing of ours stays behind."""

import pytest

from tools import odoo, postgres

NAME = "wab_install"
UNINSTALL = """
partner = env["res.partner"].create({
    "name": "Left behind", "phone": "+34600000001", "wab_enabled": True})
partner.invoice_sending_method = "whatsapp_billing"
account = env["whatsapp.billing.account"].create({"name": "Gone"})
phone = env["whatsapp.billing.phone"].create({
    "account_id": account.id, "phone_uid": "1", "number": "+34910000001"})
phone._trigger_drain()
env.cr.commit()
module = env["ir.module.module"].search([("name", "=", "whatsapp_billing")])
module.button_immediate_uninstall()
env.cr.commit()
print("UNINSTALLED")
"""
LEFT = {
    "tables": "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') "
    "AND relname LIKE 'whatsapp_billing%%'",
    "columns": "SELECT table_name || '.' || column_name "
    "FROM information_schema.columns WHERE column_name LIKE 'wab\\_%%'",
    "crons": "SELECT cron_name FROM ir_cron WHERE cron_name LIKE 'WhatsApp%%'",
    "jobs": "SELECT uuid FROM queue_job WHERE model_name LIKE 'whatsapp.billing%%'",
    "channels": "SELECT complete_name FROM queue_job_channel "
    "WHERE complete_name LIKE 'root.whatsapp%%'",
    "views": "SELECT name FROM ir_ui_view WHERE arch_db::text LIKE '%%wab\\_%%' "
    "OR arch_db::text LIKE '%%whatsapp_billing%%'",
    "xml ids": "SELECT name FROM ir_model_data WHERE module = 'whatsapp_billing'",
    "parameters": "SELECT key FROM ir_config_parameter "
    "WHERE key LIKE 'whatsapp\\_billing.%%'",
    "sending methods": "SELECT id FROM res_partner "
    "WHERE invoice_sending_method::text LIKE '%%whatsapp_billing%%'",
    "server actions": "SELECT id FROM ir_act_server WHERE state = 'whatsapp_billing'",
}


@pytest.fixture(scope="module")
def database():
    """A database with the module, dropped at the end."""
    odoo.make_database(NAME, fresh=True)
    yield NAME
    postgres.drop(NAME)


def test_update_changes_nothing_that_works(database):
    conf = odoo.write_conf("e2e-install", 8068)
    common = ["-c", str(conf), "-d", database, "--no-http", "--stop-after-init"]
    odoo.odoo(
        [*common, "--load=base,web,rpc,queue_job", "-u", "whatsapp_billing"],
        log="e2e-update",
    )
    rows = postgres.execute(
        database,
        "SELECT state FROM ir_module_module WHERE name = 'whatsapp_billing'",
    )
    assert rows == [("installed",)]


def test_uninstall_leaves_nothing(database):
    output = odoo.shell_script(database, UNINSTALL)
    assert "UNINSTALLED" in output
    left = {
        what: rows
        for what, query in LEFT.items()
        if (rows := postgres.execute(database, query, []))
    }
    assert left == {}


def test_server_still_serves_afterwards(database):
    from tools.ground import free_port
    from tools.rpc import Json2

    port = free_port()
    conf = odoo.write_conf("e2e-install", port, db_name=database)
    with odoo.server(database, port, conf) as url:
        client = Json2(url, odoo.api_key(database))
        views = client.call(
            "account.move", "get_views", views=[[False, "list"], [False, "form"]]
        )
        assert "wab_" not in views["views"]["form"]["arch"]
        assert client.search("res.partner", [("name", "=", "Left behind")], ["name"])
