# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What waits, and what its file says, is true when it goes: whoever asks, and where."""

from unittest.mock import patch

from odoo.tests import tagged

from .collection_common import CollectionCommon
from .common import VARIABLES


class StillTrueCommon(CollectionCommon):
    def setUp(self):
        super().setUp()
        self.accept_everything()

    def make_saying(self, document_type, path, kind="text", lang_code="en"):
        """Return a template whose third value is the field at a path."""
        return self._make_template(
            self.account,
            document_type,
            lang_code=lang_code,
            is_default=False,
            template_name="saying",
            header_type="none",
            body="Hello {{1}}, about {{2}}: {{3}}. Thank you.",
            variables=[*VARIABLES[:2], ("body", 3, path, kind, "Example")],
        )

    def drain_all(self):
        for _round in range(3):
            while self.drain():
                pass
            self.run_cron()

    def told(self):
        """Return the values of the bodies that went out."""
        return [
            [value.get("text") for value in part["parameters"]]
            for call in self.sent_calls()
            for part in call.json["template"]["components"]
            if part["type"] == "body"
        ]

    def about(self, record):
        return self.messages.search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)], order="id"
        )


@tagged("post_install", "-at_install")
class TestReminderSaysMore(StillTrueCommon):
    """A reminder names what its lines do not cover, and that is changed."""

    def setUp(self):
        super().setUp()
        self.old, self.new = self.env["res.partner.bank"].create(
            [
                {"acc_number": number, "partner_id": self.company.partner_id.id}
                for number in ("OLD 111", "NEW 222")
            ]
        )
        self.template = self.make_saying(
            "payment_reminder", "partner_bank_id.acc_number"
        )
        self.invoice = self.make_due(2)
        self.invoice.partner_bank_id = self.old

    def assert_told_the_new_account(self, old):
        self.assertIn("OLD 111", old.body)
        self.invoice.partner_bank_id = self.new
        self.drain_all()
        self.assertRecordValues(old, [{"state": "canceled", "reason": "superseded"}])
        ((_name, _number, account),) = self.told()
        self.assertEqual(account, "NEW 222")

    def test_a_plan_s_reminder_names_the_account_to_pay_to_by_now(self):
        """Money went to a bank account that had been corrected."""
        self.templates["payment_reminder"].is_default = False
        self.template.is_default = True
        self.run_plan()
        self.assert_told_the_new_account(self.reminders())

    def remind(self):
        (result,) = self.invoice.with_user(self.clerk).wab_remind(
            template=self.template.id
        )
        return self.messages.browse(result["message_id"])

    def test_so_does_one_by_hand(self):
        self.assert_told_the_new_account(self.remind())

    def test_another_salesperson_is_named(self):
        self.template.variable_ids.filtered(
            lambda v: v.position == 3
        ).field_path = "invoice_user_id.name"
        self.invoice.invoice_user_id = self.clerk
        self.remind()
        self.invoice.invoice_user_id = self.manager
        self.drain_all()
        self.assertEqual([values[2] for values in self.told()], [self.manager.name])

    def test_what_has_not_changed_goes_as_it_is(self):
        reminder = self.remind()
        self.partner.name = "Ana Lopez"
        self.drain_all()
        self.assertEqual(reminder.state, "sent")
        self.assertEqual(self.about(self.invoice), reminder)


@tagged("post_install", "-at_install")
class TestTemplateReworded(StillTrueCommon):
    """The text of a template is another one when a message that waited goes."""

    def setUp(self):
        super().setUp()
        self.invoice = self.make_invoice_with_pdf()
        self.message = self.send(self.invoice)
        self.template = self.message.template_id

    def reword(self, text):
        components = [dict(part) for part in self.template.remote_components]
        for part in components:
            if part["type"] == "BODY":
                part["text"] = text
        self.template.remote_components = components

    def swap(self):
        second, third = self.template.variable_ids.filtered(
            lambda v: v.component == "body" and v.position > 1
        ).sorted("position")
        second.write({"field_path": "amount_total", "format": "money"})
        third.write({"field_path": "name", "format": "text"})

    def test_values_do_not_stand_in_another_text(self):
        """The number of an invoice stood where its amount was to be."""
        self.reword("Hello {{1}}, you owe {{2}} for {{3}}. Thank you.")
        self.swap()
        self.drain_all()
        self.assertEqual(self.message.state, "canceled")
        ((_name, amount, number),) = self.told()
        self.assertEqual(number, self.invoice.name)
        self.assertIn("100", amount)
        new = self.about(self.invoice) - self.message
        self.assertIn("you owe", new.body)
        self.assertEqual(new.replaces_id, self.message)

    def test_people_read_the_text_that_went_out(self):
        self.reword("Hello {{1}}, here is {{2}} over {{3}}. Thank you.")
        self.drain_all()
        new = self.about(self.invoice) - self.message
        self.assertEqual(new.state, "sent")
        self.assertIn("here is", new.body)

    def test_a_value_that_comes_from_elsewhere_is_filled_in_anew(self):
        self.template.variable_ids.filtered(
            lambda v: v.component == "body" and v.position == 2
        ).field_path = "payment_reference"
        self.invoice.payment_reference = "PAY ME"
        self.drain_all()
        self.assertEqual([values[1] for values in self.told()], ["PAY ME"])

    def test_it_waits_until_the_new_text_is_approved(self):
        self.reword("Hello {{1}}, you owe {{2}} for {{3}}. Thank you.")
        self.swap()
        self.template.status = "pending"
        self.drain()
        self.assertEqual(self.message.state, "held")
        self.template.status = "approved"
        self.drain_all()
        ((_name, _amount, number),) = self.told()
        self.assertEqual(number, self.invoice.name)


@tagged("post_install", "-at_install")
class TestReceiptFile(StillTrueCommon):
    """A receipt lists invoices: its file is made anew when they are others."""

    def setUp(self):
        super().setUp()
        self.first, self.second = self.make_due(3), self.make_due(2)
        self.payment = self.pay(self.first)
        reports = type(self.env["ir.actions.report"])
        self.enterContext(
            patch.object(
                reports,
                "_render_qweb_pdf",
                lambda _report, _ref, ids, **_kw: (self.say(ids), "pdf"),
            )
        )

    def say(self, ids):
        moves = self.env["account.payment"].browse(ids).reconciled_invoice_ids
        return repr([(m.name, m.amount_residual) for m in moves.sorted("id")]).encode()

    def send_receipt(self):
        (result,) = self.payment.with_user(self.clerk).wab_send_receipt()
        self.messages._process_documents()
        self.env.invalidate_all()
        return self.messages.browse(result["message_id"])

    def move_money(self):
        """Put the payment on the other invoice, as an accountant does."""
        lines = self.payment.move_id.line_ids | self.second.line_ids
        lines = lines.filtered(lambda line: line.account_type == "asset_receivable")
        (lines & self.payment.move_id.line_ids).remove_move_reconcile()
        lines.reconcile()
        self.env.flush_all()
        self.env.invalidate_all()

    def assert_the_file_is_true(self, message):
        self.assertEqual(message.state, "sent")
        self.assertEqual(message.attachment_id.raw, self.say(self.payment.ids))
        uploads = [c for c in self.transport.calls if "/media" in c.url]
        self.assertIn(message.attachment_id.raw, str(uploads[-1].files).encode())

    def test_money_put_on_another_invoice_while_it_waits(self):
        message = self.send_receipt()
        self.assertNotIn(self.second.name.encode(), message.attachment_id.raw)
        self.move_money()
        self.drain_all()
        self.messages._process_documents()
        self.drain_all()
        self.assertIn(self.second.name.encode(), message.attachment_id.raw)
        self.assert_the_file_is_true(message)
        self.assertEqual(len(self.sent_calls()), 1)

    def test_sent_again_after_that(self):
        self.send_receipt()
        self.drain_all()
        self.move_money()
        again = self.send_receipt()
        self.drain_all()
        self.assertIn(self.second.name.encode(), again.attachment_id.raw)
        self.assert_the_file_is_true(again)

    def test_another_payment_changes_what_is_left(self):
        self.payment.action_draft()
        self.payment.unlink()
        self.payment = self.pay(self.first, 30.0)
        message = self.send_receipt()
        self.pay(self.first, 20.0)
        self.drain_all()
        self.messages._process_documents()
        self.drain_all()
        self.assertIn(b"50.0", message.attachment_id.raw)
        self.assert_the_file_is_true(message)

    def test_what_stays_is_made_once(self):
        message = self.send_receipt()
        file = message.attachment_id
        self.drain_all()
        self.assertEqual((message.state, message.attachment_id), ("sent", file))
        self.assertEqual(self.send_receipt().attachment_id, file)


@tagged("post_install", "-at_install")
class TestWhoeverAsks(StillTrueCommon):
    """What a text says is its document's, not of whoever presses the button."""

    def queue(self, invoice, template, **context):
        (result,) = (
            invoice.with_user(self.clerk)
            .with_context(**context)
            .wab_send(template=template.id)
        )
        return self.messages.browse(result["message_id"])

    def assert_goes_as(self, message, text):
        self.assertIn(text, message.body)
        self.drain_all()
        self.assertEqual(message.state, "sent")

    def test_another_company_s_terms_are_told_to_nobody(self):
        """A customer read what another company of the group had agreed with them."""
        other = self.env["res.company"].create({"name": "B"})
        for company, name in (self.company, "Ours"), (other, "Theirs"):
            term = self.env["account.payment.term"].create({"name": f"{name} in 30"})
            self.partner.with_company(company).property_payment_term_id = term
        template = self.make_saying(
            "invoice", "partner_id.property_payment_term_id.name"
        )
        self.clerk.company_ids |= other
        message = self.queue(
            self._make_invoice(),
            template,
            allowed_company_ids=[other.id, self.company.id],
        )
        self.assert_goes_as(message, "Ours in 30")

    def test_a_moment_is_the_company_s_day(self):
        """What was filled in where its sender was differed each time, and never went."""
        template = self.make_saying("invoice", "create_date", "date")
        invoice = self._make_invoice()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET create_date = '2026-11-10 23:30:00' WHERE id = %s",
            [invoice.id],
        )
        self.env.invalidate_all()
        self.clerk.tz = "Pacific/Honolulu"
        message = self.queue(invoice, template, tz="Pacific/Honolulu")
        self.assert_goes_as(message, "11/11/2026")

    def test_words_of_a_language_that_is_not_installed(self):
        self.env["res.lang"]._activate_lang("es_ES")
        journal = self.company_data["default_journal_sale"]
        journal.with_context(lang="es_ES").name = "Facturas"
        journal.with_context(lang="en_US").name = "Sales"
        template = self.make_saying("invoice", "journal_id.name", lang_code="de")
        self.clerk.lang = "es_ES"
        message = self.queue(self._make_invoice(), template, lang="es_ES")
        self.assert_goes_as(message, "Sales")
