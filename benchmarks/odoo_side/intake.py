# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What webhook intake needs in the database, and what it left there."""

from odoo.addons.whatsapp_billing.const import WEBHOOK_ROUTE

from . import setup


def connect(env):
    """Return the path of a connected account's webhook; make the bare table."""
    account = setup.connect(env, "http://127.0.0.1:9")
    env.cr.execute("CREATE TABLE wab_bench_row (id serial PRIMARY KEY, body text)")
    return f"{WEBHOOK_ROUTE}/{account.webhook_token}"


def count(env):
    """Return how many rows each of the two controllers kept."""
    env.cr.execute(
        """
        SELECT (SELECT count(*) FROM whatsapp_billing_webhook_event),
               (SELECT count(*) FROM wab_bench_row)
        """
    )
    ours, bare = env.cr.fetchone()
    return {"ours": ours, "bare": bare}
