# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, time
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .collection_common import CollectionCommon

LOGGER = "odoo.addons.whatsapp_billing.models.ir_actions_server"


@tagged("post_install", "-at_install")
class TestAutomation(CollectionCommon):
    """Automation rules send on WhatsApp while a clerk does something else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan.stage = "off"
        cls.note = cls._make_template(
            cls.account,
            "invoice",
            template_name="test_alert",
            header_type="none",
            is_default=False,
            button_ids=[],
        )
        cls.note.variable_ids.filtered(lambda v: v.component == "button").unlink()
        cls.note.remote_components = cls.note._components()
        cls.hello = cls._make_template(
            cls.account,
            "customer_message",
            is_default=False,
            header_type="none",
            body="Hello {{1}}, our office moves on Monday.",
            variable_ids=[
                Command.create(
                    {
                        "component": "body",
                        "position": 1,
                        "name": "Recipient",
                        "field_path": "recipient.name",
                        "sample": "Ana",
                    }
                )
            ],
        )

    def make_action(self, model, **values):
        return self.env["ir.actions.server"].create(
            {
                "name": "Test",
                "model_id": self.env["ir.model"]._get(model).id,
                "state": "whatsapp_billing",
                **values,
            }
        )

    def run_action(self, action, records, user=None):
        action.with_user(user or self.env.user).sudo().with_context(
            active_model=records._name, active_ids=records.ids, active_id=records[:1].id
        ).run()
        self.commit()

    def commit(self):
        """Do what happens at the end of a transaction."""
        self.env.flush_all()
        self.env.cr.precommit.run()

    def about(self, record):
        return self.messages.search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)], order="id"
        )

    def alert_rule(self):
        rule = self.env.ref("whatsapp_billing.automation_total_changed")
        rule.action_server_ids.wab_template_id = self.note
        rule.active = True
        return rule

    def change_total(self, invoice, price):
        invoice = invoice.with_user(self.clerk)
        if invoice.state == "posted":
            invoice.button_draft()
        line = invoice.invoice_line_ids[:1]
        invoice.write(
            {"invoice_line_ids": [Command.update(line.id, {"price_unit": price})]}
        )
        self.commit()

    # --- whose message it is ----------------------------------------------

    def test_message_about_a_contact_is_the_company_s_that_its_user_works_in(self):
        other = self.setup_other_company()["company"]
        account = self._make_account(other, "200000000000002", "300000000000003")
        user = self._make_user("wab_both", "base.group_system", self.company)
        user.company_ids |= other
        self.partner.with_company(other).wab_enabled = True
        hello = self._make_template(
            account,
            "customer_message",
            is_default=False,
            header_type="none",
            body="Hello, our office moves on Monday.",
            variable_ids=[],
        )
        action = self.make_action("res.partner", wab_template_id=hello.id)
        for allowed in ([other.id], [other.id, self.company.id]):
            with self.subTest(allowed=allowed):
                before = self.about(self.partner)
                partner = self.partner.with_context(allowed_company_ids=allowed)
                partner.invalidate_recordset()
                action.with_context(allowed_company_ids=allowed).with_user(
                    user
                ).sudo().with_context(
                    active_model=partner._name,
                    active_ids=partner.ids,
                    active_id=partner.id,
                ).run()
                self.commit()
                message = self.about(self.partner) - before
                self.assertRecordValues(
                    message,
                    [
                        {
                            "company_id": other.id,
                            "account_id": account.id,
                            "state": "queued",
                            "user_id": user.id,
                        }
                    ],
                )

    def test_number_of_a_record_is_not_another_company_s_contact(self):
        number = "+34600000078"
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self._make_customer("Theirs", number, company_id=other.id)
        mine = self._make_customer("Mine", number, company_id=self.company.id)
        self._make_customer("Younger", number)
        bank = self.env["res.bank"].create({"name": "Bank", "phone": number})
        action = self.make_action("res.bank", wab_template_id=self.hello.id)
        self.run_action(action, bank, self.clerk)
        message = self.about(bank)
        self.assertRecordValues(message, [{"partner_id": mine.id, "state": "queued"}])

    # --- who may name what ------------------------------------------------

    def test_nobody_sends_about_what_they_may_not_read(self):
        """An action for a group asks nothing of the records that a call names."""
        other = self.setup_other_company()["company"]
        group = self.env.ref("account.group_account_invoice")
        outsider = self._make_user(
            "wab_outside", "account.group_account_invoice", other
        )
        invoice = self._make_invoice(self.partner)
        private = self._make_customer(
            "Private", "+34600000079", company_id=self.company.id
        )
        for records, values in (
            (invoice, {}),
            (invoice, {"wab_kind": "reminder"}),
            (invoice, {"wab_kind": "note", "wab_template_id": self.note.id}),
            (private, {"wab_template_id": self.hello.id}),
        ):
            action = self.make_action(records._name, **values)
            parent = self.make_action(
                records._name,
                state="multi",
                child_ids=[Command.set(self.make_action(records._name, **values).ids)],
            )
            for one in action | parent:
                one.group_ids = group
                named = one.with_user(outsider).with_context(
                    active_model=records._name,
                    active_ids=records.ids,
                    active_id=records.id,
                )
                for context in ({}, {"active_ids": []}, {"active_id": False}):
                    with (
                        self.subTest(action=one.state, values=values, context=context),
                        self.assertRaises(AccessError),
                    ):
                        named.with_context(**context).run()
                    self.commit()
                    self.assertFalse(self.about(records))

    def test_whoever_may_read_it_sends_with_an_action_for_a_group(self):
        invoice = self._make_invoice(self.partner)
        action = self.make_action("account.move")
        action.group_ids = self.env.ref("account.group_account_invoice")
        action.with_user(self.clerk).with_context(
            active_model="account.move", active_ids=invoice.ids
        ).run()
        self.commit()
        self.assertRecordValues(
            self.about(invoice), [{"state": "queued", "user_id": self.clerk.id}]
        )

    # --- the total of an invoice that was posted and reset -------------------

    def test_changed_total_alerts_the_customer(self):
        self.alert_rule()
        self.accept_everything()
        invoice = self._make_invoice(self.partner)
        self.commit()
        self.assertFalse(self.about(invoice))
        self.change_total(invoice, 150)
        message = self.about(invoice)
        self.assertRecordValues(
            message,
            [{"state": "queued", "method": "automation", "user_id": self.clerk.id}],
        )
        self.assertIn("150", message.body)
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_total_changed_twice_tells_the_last_one(self):
        self.alert_rule()
        self.accept_everything()
        invoice = self._make_invoice(self.partner)
        self.change_total(invoice, 150)
        self.change_total(invoice, 170)
        self.drain()
        self.drain()
        first, second = self.about(invoice)
        self.assertEqual((first.state, first.reason), ("canceled", "superseded"))
        self.assertEqual(second.state, "sent")

    def test_same_total_says_nothing(self):
        self.alert_rule()
        invoice = self._make_invoice(self.partner)
        invoice.with_user(self.clerk).button_draft()
        invoice.with_user(self.clerk).action_post()
        self.commit()
        self.assertFalse(self.about(invoice))

    def test_crash_leaves_the_users_work(self):
        self.alert_rule()
        invoice = self._make_invoice(self.partner)
        with (
            patch.object(
                type(self.env["whatsapp.billing.message"]),
                "_enqueue",
                side_effect=ValueError("boom"),
            ),
            mute_logger(LOGGER),
        ):
            self.change_total(invoice, 150)
        self.assertEqual(invoice.amount_total, 150)
        self.assertFalse(self.about(invoice))

    def test_nobody_to_write_to_is_said_on_the_record(self):
        self.alert_rule()
        self.partner.with_user(self.clerk).wab_opt_out("billing", "On the phone")
        invoice = self._make_invoice(self.partner)
        self.change_total(invoice, 150)
        self.assertEqual(self.about(invoice).reason, "opted_out")

    # --- any model ------------------------------------------------------------------

    def test_model_with_a_partner(self):
        action = self.make_action("res.users", wab_template_id=self.hello.id)
        self.assertEqual(
            (action.wab_kind, action.wab_partner_path), ("note", "partner_id")
        )
        self.clerk.partner_id.write({"wab_number": "+34600000078", "wab_enabled": True})
        self.run_action(action, self.clerk)
        self.assertRecordValues(
            self.about(self.clerk),
            [{"state": "queued", "partner_id": self.clerk.partner_id.id}],
        )

    def test_model_with_a_phone_finds_the_contact(self):
        self.partner.wab_number = "+34600000077"
        bank = self.env["res.bank"].create({"name": "Bank", "phone": "+34600000077"})
        other = self.env["res.bank"].create({"name": "Other", "phone": "+34699999999"})
        action = self.make_action("res.bank", wab_template_id=self.hello.id)
        self.assertFalse(action.wab_partner_path)
        self.run_action(action, bank | other)
        self.assertRecordValues(
            self.about(bank), [{"state": "queued", "partner_id": self.partner.id}]
        )
        self.assertEqual(self.about(other).state, "canceled")

    def test_contacts_themselves(self):
        action = self.make_action("res.partner", wab_template_id=self.hello.id)
        self.run_action(action, self.partner)
        self.assertEqual(self.about(self.partner).state, "queued")

    def test_message_about_a_record_sends_nothing_without_template(self):
        action = self.make_action("res.partner")
        self.run_action(action, self.partner)
        self.assertFalse(self.about(self.partner))

    # --- documents, reminders, receipts ------------------------------------------------

    def test_document_is_refused_as_draft(self):
        action = self.make_action("account.move")
        invoice = self.init_invoice("out_invoice", partner=self.partner, amounts=[10])
        self.run_action(action, invoice)
        self.assertEqual(self.about(invoice).reason, "draft")

    def test_reminder_once_a_day_to_one_customer(self):
        action = self.make_action("account.move", wab_kind="reminder")
        first, second = self.make_due(5), self.make_due(4)
        self.run_action(action, first | second)
        self.run_action(action, second)
        self.assertRecordValues(
            self.reminders(), [{"state": "queued", "res_id": first.id}]
        )
        self.assertIn("followed up today", second.message_ids[0].body)
        self.assertTrue(self.followups.search([("debtor_id", "=", self.partner.id)]))

    def test_reminder_that_may_not_go_keeps_no_other_back(self):
        self.plan.stage = "on"
        action = self.make_action("account.move", wab_kind="reminder")
        disputed, due, last = (self.make_due(n) for n in (9, 5, 4))
        self.case(disputed).with_user(self.clerk).action_dispute("Broken")
        self.run_action(action, disputed | due | last)
        self.assertEqual(self.about(disputed).reason, "disputed")
        self.assertEqual(self.about(due).state, "queued")
        self.assertFalse(self.about(last))

    def test_reminder_leaves_vendors(self):
        action = self.make_action("account.move", wab_kind="reminder")
        bill = self._make_invoice(self.partner, move_type="in_invoice")
        self.run_action(action, bill)
        self.assertFalse(self.about(bill))

    def test_shipped_reminder_runs_for_what_is_due(self):
        rule = self.env.ref("whatsapp_billing.automation_reminder")
        self.assertFalse(rule.active)
        rule.active = True
        due, early, old = self.make_due(3), self.make_due(1), self.make_due(30)
        self.env.flush_all()
        # Noon is one day in Greenwich and where the customers are.
        noon = datetime.combine(self.today, time(12))
        found = rule._search_time_based_automation_records(until=noon)
        self.assertIn(due, found)
        self.assertFalse((early | old) & found)
        rule._process(due)
        self.commit()
        self.assertEqual(self.reminders().res_id, due.id)

    def test_shipped_receipt_goes_once(self):
        rule = self.env.ref("whatsapp_billing.automation_receipt")
        rule.active = True
        self.company.wab_auto_receipt = True
        payments = self.pay(self._make_invoice(self.partner))
        self.commit()
        self.assertEqual(
            self.about(payments).mapped("document_type"), ["payment_receipt"]
        )

    # --- configuration ---------------------------------------------------------------

    def test_names_and_warnings(self):
        action = self.make_action("res.partner", wab_template_id=self.note.id)
        self.assertIn("amount_total", action.warning)
        action.wab_template_id = self.hello
        self.assertFalse(action.warning)
        self.assertEqual(action._generate_action_name(), f"WhatsApp: {self.hello.name}")
        action.wab_partner_path = "country_id"
        self.assertIn("leads to no contact", action.warning)
        action.write({"wab_partner_path": "id", "wab_kind": "reminder"})
        self.assertIn("Only invoices", action.warning)

    def test_offers_only_models_that_name_somebody(self):
        action = self.make_action("res.partner", wab_template_id=self.hello.id)
        models = action.available_model_ids.mapped("model")
        self.assertIn("account.move", models)
        self.assertNotIn("res.currency", models)
