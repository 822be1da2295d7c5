# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import UserError
from odoo.modules import neutralize
from odoo.tests import tagged

from .common import WhatsappBillingCommon


@tagged("post_install", "-at_install", "neutralize")
class TestNeutralize(WhatsappBillingCommon):
    def setUp(self):
        super().setUp()
        # Orphans of other tests' data would be changed too, within this transaction.
        self.account_sudo = self.account.sudo()
        self.token_before = self.account_sudo.webhook_token
        self.messages = self.env["whatsapp.billing.message"].sudo()
        for state in ("queued", "held", "sending", "unknown", "read", "failed"):
            invoice = self._make_invoice()
            invoice.wab_send()
            invoice.wab_message_ids.sudo().state = state
            self.messages |= invoice.wab_message_ids.sudo()

    def _neutralize(self):
        self.env.flush_all()
        for query in neutralize.get_neutralization_queries(["whatsapp_billing"]):
            self.env.cr.execute(query)
        self.env.invalidate_all()

    def test_copy_knows_no_secret_and_is_bound_to_nothing(self):
        self._neutralize()
        self.assertEqual(self.account.state, "inactive")
        self.assertFalse(self.account.has_access_token)
        self.assertFalse(self.account.has_app_secret)
        self.assertFalse(self.account._webhook_secrets())
        self.assertFalse(self.account._is_bound())
        with self.assertRaises(UserError):
            self.account._get_client()

    def test_copy_has_other_webhook_addresses(self):
        sibling = self._make_account(self.company, "200000000000009", "300000000000009")
        lonely = self._make_account(
            self.company, "200000000000008", "300000000000008", app_uid=False
        )
        self._neutralize()
        self.assertTrue(self.account_sudo.webhook_token)
        self.assertNotEqual(self.account_sudo.webhook_token, self.token_before)
        self.assertEqual(sibling.sudo().webhook_token, self.account_sudo.webhook_token)
        self.assertNotEqual(
            lonely.sudo().webhook_token, self.account_sudo.webhook_token
        )
        accounts_sudo = self.account_sudo
        self.assertFalse(accounts_sudo._webhook_credentials(self.token_before))

    def test_copy_sends_nothing_that_waited(self):
        self._neutralize()
        self.assertEqual(
            self.messages.mapped("state"),
            ["canceled"] * 4 + ["read", "failed"],
        )
        with self.enter_registry_test_mode():
            self.env.ref("whatsapp_billing.ir_cron_outbox").method_direct_trigger()
        self.assertFalse(self.transport.calls)

    def test_copy_processes_nothing_received_before(self):
        event = (
            self.env["whatsapp.billing.webhook.event"]
            .sudo()
            .create(
                {"provider": "meta", "body": b"e30=", "digest": "d", "app_key": "k"}
            )
        )
        self._neutralize()
        self.assertEqual(event.state, "ignored")

    def test_copy_forgets_jobs_of_ours(self):
        self._neutralize()
        self.assertFalse(
            self.env["queue.job"]
            .sudo()
            .search_count(
                [
                    ("model_name", "=like", "whatsapp.billing.%"),
                    ("state", "in", ("pending", "enqueued", "started")),
                ]
            )
        )

    def test_running_it_twice_changes_nothing_more(self):
        self._neutralize()
        self._neutralize()
        self.assertEqual(self.account.state, "inactive")
