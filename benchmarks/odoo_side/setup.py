# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The data that benchmarks are run on."""

from datetime import date, timedelta

from odoo.fields import Command

SOURCES = 10
WABA_UID = "200000000000001"
PHONE_UID = "300000000000001"
APP_SECRET = "bench-app-secret"  # not a real one
BODY = "Hello {{1}}, invoice {{2}} over {{3}} is ready for you."
VARIABLES = [
    ("body", 1, "recipient.name", "text", "Ana"),
    ("body", 2, "name", "text", "INV/1"),
    ("body", 3, "amount_total", "money", "1"),
    ("button", 1, "wab_pay_link", "text", "my/invoices/1?access_token=x"),
]


def make_invoices(env):
    """Post a few invoices, each of its own customer, for `populate` to copy."""
    spain = env.ref("base.es")
    partners = env["res.partner"].create(
        [
            {
                "name": f"Customer {n}",
                "email": f"customer{n}@example.com",
                "phone": f"+34600{n:06d}",
                "country_id": spain.id,
                "customer_rank": 1,
                "lang": "en_US",
            }
            for n in range(SOURCES)
        ]
    )
    moves = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": date.today(),
                "invoice_date_due": date.today() + timedelta(days=15),
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Work", "quantity": 1, "price_unit": 100.0 + n}
                    )
                    for n in range(3)
                ],
            }
            for partner in partners
        ]
    )
    moves.action_post()
    return len(moves)


def after_populate(env):
    """Give every copied customer a number and an address of its own."""
    env.cr.execute(
        """
        UPDATE res_partner p
           SET phone = '+346' || lpad((p.id % 100000000)::text, 8, '0'),
               name = 'Customer ' || p.id,
               complete_name = 'Customer ' || p.id,
               email = 'customer' || p.id || '@example.com',
               email_normalized = 'customer' || p.id || '@example.com',
               commercial_partner_id = p.id
          FROM account_move m
         WHERE m.partner_id = p.id AND m.move_type = 'out_invoice'
        """
    )
    env.cr.execute("UPDATE account_move SET access_token = NULL")
    env.cr.execute(
        """
        SELECT count(*), count(DISTINCT partner_id), count(DISTINCT name)
          FROM account_move WHERE move_type = 'out_invoice' AND state = 'posted'
        """
    )
    total, partners, names = env.cr.fetchone()
    assert total == partners == names, (total, partners, names)
    _settle_sequences(env)
    env.cr.commit()
    vacuum(env)
    return total


def vacuum(env, table=""):
    """Clean up after the statements that prepared the data, as autovacuum would."""
    with env.registry.cursor() as cr:
        cr.connection.autocommit = True
        cr.execute(f"VACUUM (ANALYZE) {table}" if table else "ANALYZE")
        cr.connection.autocommit = False


def _settle_sequences(env):
    """Put every sequence behind the largest id, whatever `populate` left."""
    for table in ("res_partner", "account_move", "account_move_line"):
        env.cr.execute(
            f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"
        )


def invoices(env, offset=0, limit=None):
    """Return posted invoices in a fixed order."""
    return env["account.move"].search(
        [("move_type", "=", "out_invoice"), ("state", "=", "posted")],
        order="id",
        offset=offset,
        limit=limit,
    )


def enable_partners(env):
    """Switch WhatsApp on for every customer, with the consent that this records."""
    partners = invoices(env).partner_id
    partners.write({"wab_enabled": True})
    assert all(partners.mapped("wab_recipient"))
    return len(partners)


def connect(env, api_url, pace=80, header_type="document"):
    """Return an account that is connected, with a number and an approved template.

    Made here and not in the database that is cloned: an account is bound to one.
    """
    company = env.company
    env["ir.config_parameter"].sudo().set_param("web.base.url", "https://example.com")
    account = (
        env["whatsapp.billing.account"]
        .sudo()
        .create(
            {
                "name": "Bench",
                "company_id": company.id,
                "waba_uid": WABA_UID,
                "app_uid": "100000000000001",
                "api_url": api_url,
                "access_token": "bench-token",
                "app_secret": APP_SECRET,
            }
        )
    )
    env["whatsapp.billing.phone"].sudo().create(
        {
            "account_id": account.id,
            "phone_uid": PHONE_UID,
            "number": "+34910000001",
            "verified_name": "Bench",
            "is_verified": True,
            "pace": pace,
        }
    )
    env["whatsapp.billing.phone.route"].sudo()._make_defaults(account)
    account.state = "connected"
    company.sudo().wab_account_id = account
    _make_template(env, account, header_type)
    return account


def _make_template(env, account, header_type):
    templates = env["whatsapp.billing.template"].sudo()
    template = templates.create(
        {
            "name": "bench invoice",
            "template_name": "bench_invoice",
            "lang_code": "en",
            "account_id": account.id,
            "document_type": "invoice",
            "header_type": header_type,
            "body": BODY,
            "variable_ids": [
                Command.create(
                    {
                        "component": component,
                        "position": position,
                        "name": path,
                        "field_path": path,
                        "format": kind,
                        "sample": sample,
                    }
                )
                for component, position, path, kind, sample in VARIABLES
            ],
            "button_ids": [
                Command.create({"text": "View and pay", "value": "{base}/{{1}}"})
            ],
            "status": "approved",
            "raw_status": "APPROVED",
            "is_default": True,
        }
    )
    template.write(
        {
            "template_uid": str(500000000000000 + template.id),
            "remote_components": template._components(),
        }
    )
    for button in template.button_ids:
        button.remote_value = button._get_value()
    return template
