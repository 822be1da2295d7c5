# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What clerks see of a document on WhatsApp before and after it is sent."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestShownState(LifecycleCommon):
    """What is shown and what a filter finds are the best news so far."""

    def setUp(self):
        super().setUp()
        self.invoice = self._make_invoice()
        self.other = self._make_customer("Luis", "+34600000002")

    def set_states(self, *states):
        """Send to as many recipients at once; give their messages these states."""
        self.queued_at = getattr(self, "queued_at", self.ago(days=2)) + timedelta(
            minutes=1
        )
        partners = (self.partner | self.other)[: len(states)]
        messages = self.send(
            self.invoice, partners=partners.ids, key=str(self.queued_at)
        )
        for message, state in zip(messages, states, strict=True):
            message.write({"state": state, "queued_at": self.queued_at})

    def assert_shown(self, state):
        self.env.flush_all()
        self.invoice.invalidate_recordset()
        moves = self.env["account.move"].with_user(self.clerk)
        self.assertEqual(self.invoice.with_user(self.clerk).wab_state, state)
        every = dict(moves._fields["wab_state"]._description_selection(self.env))
        found = [
            one
            for one in every
            if self.invoice.id in moves.search([("wab_state", "=", one)]).ids
        ]
        self.assertEqual(found, [state] if state else [])
        unsent = moves.search([("wab_state", "=", False)])
        self.assertEqual(self.invoice.id in unsent.ids, not state)

    def test_nothing_sent(self):
        self.assert_shown(False)

    def assert_attention(self, wanted):
        moves = self.env["account.move"].with_user(self.clerk)
        mine = [("id", "=", self.invoice.id)]
        self.assertEqual(bool(self.invoice.with_user(self.clerk).wab_problem), wanted)
        found = moves.search([*mine, ("wab_problem", "!=", False)])
        self.assertEqual(bool(found), wanted)
        found = moves.search([*mine, ("wab_problem", "=", False)])
        self.assertEqual(bool(found), not wanted)

    def test_failed_for_one_of_two_is_delivered_and_wants_attention(self):
        self.set_states("delivered", "failed")
        self.assert_shown("delivered")
        self.assert_attention(True)

    def test_delivered_after_a_failure_is_delivered(self):
        self.set_states("failed")
        self.assert_shown("failed")
        self.assert_attention(True)
        self.set_states("delivered")
        self.assert_shown("delivered")
        self.assert_attention(False)

    def test_failed_after_it_was_delivered_wants_attention(self):
        self.set_states("delivered")
        self.set_states("failed")
        self.assert_shown("delivered")
        self.assert_attention(True)

    def test_refused_afterwards_settles_no_failure(self):
        self.set_states("failed")
        self.set_states("canceled")
        self.assert_attention(True)

    def test_what_waits_takes_nothing_back_that_was_read(self):
        self.set_states("read")
        self.set_states("held")
        self.assert_shown("read")

    def test_refused_for_one_is_no_news_of_the_other(self):
        self.set_states("read", "canceled")
        self.assert_shown("read")

    def test_problems_of_many_are_read_together(self):
        invoices = self.invoice
        for _n in range(4):
            invoices |= self._make_invoice()
        for invoice in invoices:
            self.send(invoice).write({"state": "failed", "error_code": "131026"})

        def count(moves):
            self.env.flush_all()
            self.env.invalidate_all()
            moves = moves.with_user(self.clerk)
            before = self.env.cr.sql_log_count
            self.assertTrue(all(moves.mapped("wab_problem")))
            return self.env.cr.sql_log_count - before

        count(invoices[:1])
        self.assertEqual(count(invoices[:2]), count(invoices))

    def test_message_to_oneself_is_no_news(self):
        self.set_states("read")
        self.set_states("failed")
        self.messages.search([("state", "=", "failed")]).method = "test"
        self.assert_shown("read")


@tagged("post_install", "-at_install")
class TestSendDialogWords(LifecycleCommon):
    def open_dialog(self, move):
        wizard = self.env["account.move.send.wizard"].with_user(self.clerk)
        return wizard.create({"move_id": move.id})

    def test_customer_without_address_is_not_asked_for_one(self):
        self.partner.email = False
        wizard = self.open_dialog(self._make_invoice())
        self.assertEqual(wizard.sending_methods, ["whatsapp_billing"])
        self.assertNotIn("account_missing_email", wizard.alerts or {})

    def test_customer_with_address_gets_both(self):
        self.partner.email = "ana@example.com"
        wizard = self.open_dialog(self._make_invoice())
        self.assertEqual(set(wizard.sending_methods), {"whatsapp_billing", "email"})

    def test_customer_without_address_and_number_keeps_email(self):
        self.partner.write({"email": False, "phone": False})
        wizard = self.open_dialog(self._make_invoice())
        self.assertEqual(wizard.sending_methods, ["email"])

    def test_stranger_is_named(self):
        stranger = self._make_customer("Audit C8", "+34600000008")
        wizard = self.open_dialog(self._make_invoice())
        self.assertNotIn("whatsapp_billing_stranger", wizard.alerts or {})
        wizard.wab_partner_ids += stranger
        text = wizard.alerts["whatsapp_billing_stranger"]["message"]
        self.assertIn("Audit C8", text)
        self.assertIn(self.partner.name, text)
        colored = stranger.with_context(wab_of_partner_id=self.partner.id)
        self.assertEqual(colored.wab_tag_color, 2)
        self.assertEqual(stranger.wab_tag_color, 10)

    def test_own_people_are_offered_first(self):
        self._make_customer("Aaa of another firm", "+34600000008")
        person = self._make_customer("Zoe", "+34600000009", parent_id=self.partner.id)
        partners = self.env["res.partner"].with_context(
            wab_of_partner_id=self.partner.id
        )
        offered = [found[0] for found in partners.name_search("", limit=8)]
        self.assertEqual(set(offered[:2]), {self.partner.id, person.id})
        self.assertEqual(len(offered), len(set(offered)))
        self.assertEqual(len(offered), 8)

    def test_sent_before_is_said(self):
        move = self._make_invoice()
        self.assertNotIn("whatsapp_billing_again", self.open_dialog(move).alerts or {})
        message = self.send(move)
        message.write({"state": "read", "read_at": self.ago(minutes=6)})
        text = self.open_dialog(move).alerts["whatsapp_billing_again"]["message"]
        self.assertIn("Read", text)
        self.assertIn("Ana Perez", text)

    def test_switched_off_leads_to_its_switch(self):
        self.partner.wab_enabled = False
        wizard = self.open_dialog(self._make_invoice())
        wizard.sending_method_checkboxes = {
            "whatsapp_billing": {"checked": True, "label": "by WhatsApp"},
        }
        alert = wizard.alerts["whatsapp_billing"]
        self.assertIn("Ana Perez", alert["action_text"])
        self.assertEqual(
            alert["action"]["context"], {"default_res_ids": self.partner.ids}
        )

    def test_template_that_is_not_approved_leads_to_the_templates(self):
        """Ticked or not; at the contact nobody finds what is wrong with it."""
        move = self._make_invoice()
        template = self.open_dialog(move).wab_template_id
        template.sudo().status = "pending"
        self.partner.email = "ana@example.com"
        wizard = self.open_dialog(move)
        self.assertNotIn("whatsapp_billing", wizard.sending_methods)
        unticked = wizard.alerts["whatsapp_billing"]
        wizard.sending_method_checkboxes = {
            "whatsapp_billing": {"checked": True, "label": "by WhatsApp"},
        }
        for alert in unticked, wizard.alerts["whatsapp_billing"]:
            self.assertEqual(alert["action"]["res_model"], "whatsapp.billing.template")
            found = self.env["whatsapp.billing.template"].search(
                alert["action"]["domain"]
            )
            self.assertIn(template, found)

    def open_batch(self, moves):
        """Open Odoo's dialog for many documents as the clerk does."""
        wizards = self.env["account.move.send.batch.wizard"].with_user(self.clerk)
        return wizards.create({"move_ids": [Command.set(moves.ids)]})

    def test_batch_says_nothing_where_no_account_is_connected(self):
        moves = self._make_invoice() | self._make_invoice()
        self.assertEqual(
            self.open_batch(moves).summary_data["whatsapp_billing"]["count"], 2
        )
        self.company.sudo().wab_account_id = False
        wizard = self.open_batch(moves)
        self.assertNotIn("whatsapp_billing_left_out", wizard.alerts or {})
        self.assertNotIn("whatsapp_billing", wizard.summary_data or {})
        self.assertFalse(wizard.wab_cost_html)

    def test_batch_says_why_not_in_groups(self):
        off = self._make_customer("Olga", "+34600000003", wab_enabled=False)
        lost = self._make_customer("Nadia", False)
        moves = self._make_invoice()
        for partner in off, lost, lost:
            moves |= self._make_invoice(partner)
        wizard = self.open_batch(moves)
        alert = wizard.alerts["whatsapp_billing_left_out"]
        self.assertIn("1 of 4", alert["message"])
        self.assertIn("WhatsApp not enabled (1)", alert["message"])
        self.assertIn("No number (2)", alert["message"])
        found = self.env["account.move"].search(alert["action"]["domain"])
        self.assertEqual(found & moves, moves[1:])

    def test_batch_counts_the_same_in_both_places(self):
        """Odoo's own line and ours count documents, and only those that do go."""
        stopped = self._make_customer("Sara", "+34600000004")
        stopped.with_user(self.clerk).wab_opt_out("billing", "Asked us to stop")
        both = self._make_customer("Beta SL", "+34600000005", is_company=True)
        self._make_customer(
            "Bea", "+34600000006", parent_id=both.id, wab_is_default_recipient=True
        )
        mail = self._make_customer(
            "Mia", "+34600000007", invoice_sending_method="email", wab_enabled=False
        )
        moves = self._make_invoice(stopped)
        for partner in both, mail:
            moves |= self._make_invoice(partner)
        wizard = self.open_batch(moves)
        self.assertEqual(wizard.summary_data["whatsapp_billing"]["count"], 1)
        alert = wizard.alerts["whatsapp_billing_left_out"]["message"]
        self.assertIn("1 of 3", alert)
        stopped_only = wizard.create({"move_ids": [Command.set(moves[:1].ids)]})
        self.assertEqual(stopped_only.summary_data["whatsapp_billing"]["count"], 0)
        alert = stopped_only.alerts["whatsapp_billing_left_out"]["message"]
        self.assertIn("0 of 1", alert)

    def test_batch_decides_once_for_all_that_it_shows(self):
        lost = self._make_customer("Nadia", False)
        moves = self._make_invoice() | self._make_invoice(lost)
        wizard = self.open_batch(moves)
        self.env.flush_all()
        self.env.invalidate_all()
        messages = self.env.registry["whatsapp.billing.message"]
        with patch.object(
            messages, "_decide", autospec=True, side_effect=messages._decide
        ) as decide:
            wizard.read(["alerts", "summary_data", "wab_cost_html"])
        self.assertEqual(decide.call_count, 1)
        self.assertEqual(wizard.summary_data["whatsapp_billing"]["count"], 1)
        self.assertIn("1 of 2", wizard.alerts["whatsapp_billing_left_out"]["message"])

    def test_batch_says_the_rest_where_a_price_fails(self):
        lost = self._make_customer("Nadia", False)
        moves = self._make_invoice() | self._make_invoice(lost)
        wizard = self.open_batch(moves)
        wallets = self.env.registry["whatsapp.billing.credit.wallet"]
        fault = patch.object(wallets, "_estimate_targets", side_effect=ValueError("x"))
        with fault, self.assertLogs("odoo.addons.whatsapp_billing", "ERROR"):
            self.assertFalse(wizard.wab_cost_html)
            alert = wizard.alerts["whatsapp_billing_left_out"]
        self.assertIn("1 of 2", alert["message"])


@tagged("post_install", "-at_install")
class TestContactScreens(LifecycleCommon):
    def test_company_shows_the_messages_of_its_people(self):
        acme = self._make_customer("Acme SL", "+34600000010", is_company=True)
        person = self._make_customer("Marta", "+34600000012", parent_id=acme.id)
        message = self.send(self._make_invoice(person))
        self.assertEqual(message.partner_id, person)
        acme = acme.with_user(self.clerk)
        self.assertEqual(acme.wab_partner_message_count, 1)
        self.assertEqual(acme.wab_last_message_ids, message)
        found = self.messages.search(acme.action_wab_partner_messages()["domain"])
        self.assertEqual(found, message)
        other = self.partner.with_user(self.clerk)
        self.assertEqual(other.wab_partner_message_count, 0)

    def test_composer_for_contacts_opens_with_the_default_template(self):
        template = self._make_template(
            self.account,
            "customer_message",
            header_type="none",
            body="Hello {{1}}, we move.",
            variable_ids=[
                (
                    0,
                    0,
                    {
                        "component": "body",
                        "position": 1,
                        "name": "Name",
                        "field_path": "recipient.name",
                        "format": "text",
                        "sample": "Ana",
                    },
                )
            ],
        )
        action = self.partner.with_user(self.clerk).action_wab_compose()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(wizard.template_id, template)
        self.assertEqual(wizard.message_count, 1)


@tagged("post_install", "-at_install")
class TestFailedDocument(LifecycleCommon):
    def setUp(self):
        super().setUp()
        self.invoice = self._make_invoice().with_user(self.clerk)
        self.message = self.send(self.invoice)
        self.message.write({"state": "failed", "error_code": "131026"})
        self.invoice.invalidate_recordset()

    def test_invoice_says_what_is_wrong_until_somebody_sees_to_it(self):
        self.assertTrue(self.invoice.wab_problem)
        self.invoice.action_wab_handled()
        self.invoice.invalidate_recordset()
        self.assertFalse(self.invoice.wab_problem)
        action = self.env.ref("whatsapp_billing.message_action_failed")
        found = self.messages.search(safe_eval(action.domain))
        self.assertNotIn(self.message, found)

    def test_sent_by_email_instead_needs_nobody(self):
        self.partner.email = "ana@example.com"
        self.attach_pdf(self.invoice.sudo())
        self.env["account.move.send"]._generate_and_send_invoices(
            self.invoice.sudo(), sending_methods=["email"]
        )
        self.assertTrue(self.message.is_handled)

    def test_number_that_failed_is_opened(self):
        action = self.invoice.action_wab_number()
        self.assertEqual(action["res_id"], self.partner.id)

    def test_retry_wants_attention_again(self):
        self.message.is_handled = True
        self.message.with_user(self.clerk).action_retry()
        self.assertRecordValues(
            self.message, [{"state": "queued", "is_handled": False}]
        )

    def test_what_waits_cannot_be_put_aside(self):
        self.message.state = "held"
        self.message.with_user(self.clerk).action_mark_handled()
        self.assertFalse(self.message.is_handled)

    def test_others_cannot_mark(self):
        stranger = self._make_user("wab_nobody", "base.group_user")
        with self.assertRaises(AccessError):
            self.message.with_user(stranger).action_mark_handled()


@tagged("post_install", "-at_install")
class TestRegisterPayment(LifecycleCommon):
    def pay(self, **values):
        invoice = self._make_invoice()
        wizard = (
            self.env["account.payment.register"]
            .with_user(self.clerk)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(values)
        )
        return wizard, wizard._create_payments()

    def receipts(self, payment):
        return self.messages.search(
            [("res_model", "=", "account.payment"), ("res_id", "=", payment.id)]
        )

    def test_tick_follows_the_setting_and_wins(self):
        wizard, payment = self.pay()
        self.assertTrue(wizard.wab_can_receipt)
        self.assertFalse(wizard.wab_send_receipt)
        self.assertFalse(self.receipts(payment))
        _wizard, payment = self.pay(wab_send_receipt=True)
        self.assertEqual(self.receipts(payment).partner_id, self.partner)
        self.company.wab_auto_receipt = True
        wizard, payment = self.pay()
        self.assertTrue(wizard.wab_send_receipt)
        self.assertEqual(len(self.receipts(payment)), 1)
        _wizard, payment = self.pay(wab_send_receipt=False)
        self.assertFalse(self.receipts(payment))

    def test_recipient_chosen_while_paying(self):
        other = self._make_customer("Luis", "+34600000002")
        _wizard, payment = self.pay(
            wab_send_receipt=True, wab_recipient_ids=[Command.set(other.ids)]
        )
        self.assertEqual(self.receipts(payment).partner_id, other)
        self.assertEqual(payment.wab_recipient_ids, other)

    def test_company_without_an_account_offers_nothing(self):
        self.company.sudo().wab_account_id = False
        wizard, payment = self.pay()
        self.assertFalse(wizard.wab_can_receipt)
        self.assertFalse(self.receipts(payment))

    def test_switched_off_kind_offers_nothing(self):
        self.company.wab_sends_payment_receipts = False
        wizard, _payment = self.pay()
        self.assertFalse(wizard.wab_can_receipt)

    def test_cost_is_said_before_the_tick_sends(self):
        wizard, _payment = self.pay()
        self.assertFalse(wizard.wab_cost_html)
        wizard, _payment = self.pay(wab_send_receipt=True)
        self.assertIn("credits", wizard.wab_cost_html)
        stranger = self._make_customer("Nobody", False)
        wizard, _payment = self.pay(
            wab_send_receipt=True, wab_recipient_ids=[Command.set(stranger.ids)]
        )
        self.assertFalse(wizard.wab_cost_html)

    def test_each_payment_of_several_customers_is_counted(self):
        luis = self._make_customer("Luis", "+34600000002")
        moves = self._make_invoice() | self._make_invoice(luis)
        wizard = (
            self.env["account.payment.register"]
            .with_user(self.clerk)
            .with_context(active_model="account.move", active_ids=moves.ids)
            .create({"wab_send_receipt": True})
        )
        self.assertEqual(wizard._wab_get_receivers(), [self.partner, luis])


@tagged("post_install", "-at_install")
class TestWaitingCounts(LifecycleCommon):
    """The menu counts what its screens show."""

    def setUp(self):
        super().setUp()
        self.agent = self._make_user(
            "wab_talks", "base.group_user,whatsapp_billing.group_agent"
        )
        self.before = self.counts(self.agent)

    def counts(self, user):
        messages = self.env["whatsapp.billing.message"].with_user(user)
        counts = messages.get_waiting_counts()
        return [
            counts["whatsapp_billing.menu_message_received"],
            counts["whatsapp_billing.menu_message_failed"],
        ]

    def test_received_until_handled(self):
        self.receive_text("Is this right?")
        received, failed = self.before
        self.assertEqual(self.counts(self.agent), [received + 1, failed])
        self.assertEqual(self.counts(self.clerk)[0], 0)
        message = self.messages.search([("direction", "=", "in")], limit=1)
        message.with_user(self.agent).action_mark_handled()
        self.assertEqual(self.counts(self.agent), self.before)

    def test_failed_until_handled(self):
        message = self.send(self._make_invoice())
        failed = self.counts(self.clerk)[1]
        for state in ("failed", "unknown", "held"):
            message.state = state
            self.assertEqual(self.counts(self.clerk)[1], failed + 1)
        message.state = "failed"
        message.with_user(self.clerk).action_mark_handled()
        self.assertEqual(self.counts(self.clerk)[1], failed)

    def test_screens_show_as_many(self):
        self.receive_text("Is this right?")
        action = self.env.ref("whatsapp_billing.message_action_failed")
        messages = self.messages.with_user(self.agent).sudo(False)
        found = messages.search_count(
            [*safe_eval(action.domain), ("state", "in", ("failed", "unknown", "held"))]
        )
        self.assertEqual(self.counts(self.agent)[1], found)

    def test_many_are_counted_no_further(self):
        self.assertLessEqual(max(self.counts(self.agent)), 100)

    def test_who_may_read_no_message_counts_none(self):
        stranger = self._make_user("wab_nobody", "base.group_user")
        with self.assertRaises(AccessError):
            self.counts(stranger)
