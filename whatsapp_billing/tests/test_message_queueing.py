# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestMessageQueueing(LifecycleCommon):
    def reason(self, document, **kwargs):
        """Return why the only message of a document may not go, or False."""
        results = document.with_user(self.clerk).wab_send(**kwargs)
        self.assertEqual(len(results), 1)
        result = results[0]
        self.assertEqual(bool(result["reason"]), bool(result["detail"]))
        message = self.messages.browse(result["message_id"])
        self.assertEqual(message.reason, result["reason"])
        self.assertTrue(message.trace)
        return result["reason"]

    # --- why not ----------------------------------------------------------------------

    def test_draft_invoice(self):
        draft = self.init_invoice("out_invoice", partner=self.partner, amounts=[10])
        self.assertEqual(self.reason(draft), "draft")

    def test_cancelled_invoice(self):
        draft = self.init_invoice("out_invoice", partner=self.partner, amounts=[10])
        draft.button_cancel()
        self.assertEqual(self.reason(draft), "cancelled_document")

    def test_vendor_bill_is_the_wrong_type(self):
        bill = self.init_invoice(
            "in_invoice", partner=self.partner, amounts=[10], post=True
        )
        result = bill.with_user(self.clerk).wab_send(
            template=self.templates["invoice"].id
        )
        self.assertEqual(result[0]["reason"], "wrong_document_type")

    def test_template_of_another_type(self):
        self.assertEqual(
            self.reason(self._make_invoice(), template=self.templates["credit_note"].id),
            "wrong_document_type",
        )

    def test_partner_not_enabled(self):
        self.partner.wab_enabled = False
        self.assertEqual(self.reason(self._make_invoice()), "not_enabled")

    def test_document_switched_off(self):
        invoice = self._make_invoice()
        invoice.wab_enabled = False
        self.assertEqual(self.reason(invoice), "not_enabled")

    def test_document_switched_on_still_needs_consent(self):
        partner = self._make_customer("Eva", "+34600000003", wab_enabled=False)
        invoice = self._make_invoice(partner)
        invoice.wab_enabled = True
        self.assertEqual(self.reason(invoice), "not_opted_in")

    def test_opted_out(self):
        self.partner.with_user(self.clerk).wab_opt_out("billing", "By e-mail")
        self.assertEqual(self.reason(self._make_invoice()), "opted_out")

    def test_no_number(self):
        partner = self._make_customer("Eva", False)
        self.assertEqual(self.reason(self._make_invoice(partner)), "no_number")

    def test_malformed_number(self):
        partner = self._make_customer("Eva", "12")
        self.assertEqual(self.reason(self._make_invoice(partner)), "invalid_number")

    def test_number_without_country_is_never_read_with_the_companys(self):
        partner = self._make_customer("Eva", "600000003", country_id=False)
        self.assertEqual(self.reason(self._make_invoice(partner)), "invalid_number")

    def test_no_template(self):
        self.templates["invoice"].is_default = False
        self.assertEqual(self.reason(self._make_invoice()), "no_template")

    def test_unapproved_template(self):
        self.templates["invoice"].status = "pending"
        self.assertEqual(self.reason(self._make_invoice()), "template_not_approved")

    def test_parameter_too_long(self):
        # A contact's endless name is shortened; what a document says is not.
        variables = self.templates["invoice"].sudo().variable_ids
        variables.filtered(lambda v: v.field_path == "name").field_path = "ref"
        invoice = self._make_invoice()
        invoice.ref = "x" * 1100
        self.assertEqual(self.reason(invoice), "bad_parameter")

    def test_newline_in_a_name_is_cleaned(self):
        self.partner.name = "Ana\n\tPerez"
        message = self.send(self.make_invoice_with_pdf())
        self.assertEqual(message.state, "queued")
        self.assertEqual(message.content["body"][0], "Ana Perez")

    def test_inactive_account_holds(self):
        self.account.state = "inactive"
        self.assertEqual(self.reason(self._make_invoice()), "account_inactive")

    def test_no_account_at_all(self):
        self.company.wab_account_id = False
        result = self._make_invoice().with_user(self.clerk).wab_send()
        self.assertIn(result[0]["reason"], ("no_template", "account_inactive"))
        self.assertEqual(result[0]["state"], "canceled")

    # --- the answer ---------------------------------------------------------------------

    def test_one_bad_among_many_never_raises(self):
        draft = self.init_invoice("out_invoice", partner=self.partner, amounts=[10])
        results = (
            (self._make_invoice() | draft | self._make_invoice())
            .with_user(self.clerk)
            .wab_send()
        )
        self.assertEqual(
            [r["reason"] for r in results], [False, "draft", False]
        )

    def test_no_value_is_null(self):
        results = self._make_invoice().with_user(self.clerk).wab_send()
        self.assertNotIn(None, results[0].values())

    def test_user_without_rights_raises(self):
        nobody = new_test_user(self.env, login="wab_nobody", groups="base.group_user")
        with self.assertRaises(AccessError):
            self._make_invoice().with_user(nobody).wab_send()

    def test_key_returns_the_first_result_and_does_nothing(self):
        invoice = self._make_invoice().with_user(self.clerk)
        first = invoice.wab_send(key="k1")
        self.partner.wab_enabled = False
        again = invoice.wab_send(
            template=self.templates["credit_note"].id, partners=[1], key="k1"
        )
        self.assertEqual(first, again)
        self.assertEqual(invoice.wab_message_count, 1)
        self.assertNotEqual(invoice.wab_send(key="k2"), first)

    def test_key_too_long_is_refused(self):
        with self.assertRaises(UserError):
            self._make_invoice().with_user(self.clerk).wab_send(key="x" * 65)

    def test_template_by_id_and_by_name(self):
        template = self._make_template(
            self.account, "invoice", is_default=False, template_name="other"
        )
        invoice = self._make_invoice()
        for reference in (template.id, "other:en"):
            message = self.send(invoice, template=reference)
            self.assertEqual(message.template_id, template)

    def test_language_of_the_partner_then_its_base_then_the_companys(self):
        spanish = self._make_template(self.account, "invoice", "es")
        partner = self._make_customer("Eva", "+34600000003")
        self.env["res.lang"]._activate_lang("es_MX")
        self.env["res.lang"]._activate_lang("fr_FR")
        partner.lang = "es_MX"
        self.assertEqual(self.send(self._make_invoice(partner)).template_id, spanish)
        partner.lang = "fr_FR"
        self.assertEqual(self.send(self._make_invoice(partner)).lang_code, "en")

    def test_default_recipients_instead_of_the_company(self):
        contacts = self.env["res.partner"].create(
            [
                {
                    "name": name,
                    "parent_id": self.partner.id,
                    "phone": number,
                    "wab_enabled": True,
                    "wab_is_default_recipient": True,
                }
                for name, number in (("Eva", "+34600000004"), ("Leo", "+34600000005"))
            ]
        )
        messages = self.send(self._make_invoice())
        self.assertEqual(messages.partner_id, contacts)

    def test_recipients_of_the_document_win(self):
        other = self._make_customer("Eva", "+34600000006")
        invoice = self._make_invoice()
        invoice.wab_recipient_ids = other
        self.assertEqual(self.send(invoice).partner_id, other)

    # --- consent -------------------------------------------------------------------------

    def test_switching_on_writes_who_when_and_how(self):
        partner = self._make_customer("Eva", "+34600000007", wab_enabled=False)
        self.clerk.group_ids += self.env.ref("base.group_partner_manager")
        partner.with_user(self.clerk).wab_enabled = True
        rows = partner.wab_consent_ids
        self.assertEqual(set(rows.mapped("purpose")), {"billing", "collections"})
        self.assertEqual(rows.user_id, self.clerk)
        self.assertIn(self.clerk.name, rows[0].evidence)

    def test_message_names_the_consent_that_allowed_it(self):
        message = self.send(self._make_invoice())
        self.assertEqual(message.consent_id.partner_id, self.partner)
        self.assertEqual(message.consent_id.purpose, "billing")

    def test_consent_in_contracts_covers_a_valid_number(self):
        self.company.write(
            {"wab_consent_by_contract": True, "wab_consent_text": "Clause 7"}
        )
        partner = self._make_customer("Eva", "+34600000008", wab_enabled=False)
        message = self.send(self._make_invoice(partner))
        self.assertEqual(message.state, "queued")
        self.assertRecordValues(
            message.consent_id, [{"source": "contract", "evidence": "Clause 7"}]
        )

    def test_opt_out_beats_consent_in_contracts(self):
        self.company.wab_consent_by_contract = True
        self.partner.with_user(self.clerk).wab_opt_out("billing", "Letter")
        self.assertEqual(self.reason(self._make_invoice()), "opted_out")

    def test_who_may_not_edit_contacts_may_still_note_an_opt_out(self):
        partner = self.partner.with_user(self.clerk)
        with self.assertRaises(AccessError):
            partner.wab_opt_in("billing", "On the phone")
        partner.wab_opt_out("billing", "On the phone")
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "withdrawn")

    def test_consent_is_append_only(self):
        row = self.partner.wab_consent_ids[:1]
        with self.assertRaises(UserError):
            row.sudo().granted = False
        with self.assertRaises(UserError):
            row.sudo().unlink()
        with self.assertRaises(AccessError):
            self.env["whatsapp.billing.consent"].with_user(self.manager).create(
                {
                    "partner_id": self.partner.id,
                    "purpose": "billing",
                    "granted": True,
                    "source": "user",
                    "evidence": "forged",
                }
            )

    def test_messages_are_not_a_users_to_write(self):
        message = self.send(self._make_invoice())
        with self.assertRaises(AccessError):
            message.with_user(self.manager).write({"state": "read"})

    def test_opt_in_needs_evidence_and_a_known_purpose(self):
        self.clerk.group_ids += self.env.ref("base.group_partner_manager")
        partner = self.partner.with_user(self.clerk)
        for purpose, evidence in (("billing", ""), ("spam", "x"), ("billing", "x" * 2001)):
            with self.assertRaises(UserError):
                partner.wab_opt_in(purpose, evidence)

    # --- accounting is never stopped ------------------------------------------------

    def test_a_bug_of_ours_never_stops_the_send_dialog(self):
        def broken(*_args, **_kwargs):
            raise ValueError("ours")

        self.patch(type(self.messages), "_enqueue", broken)
        invoice = self.make_invoice_with_pdf()
        with self.assertLogs(
            "odoo.addons.whatsapp_billing.models.accounting.account_move_send", "ERROR"
        ):
            self.env["account.move.send"].with_user(
                self.clerk
            )._generate_and_send_invoices(
                invoice, sending_methods=["whatsapp_billing"]
            )
        self.assertIn("could not be queued", invoice.message_ids[0].body)

    def test_send_dialog_queues_and_chatter_shows_the_text(self):
        invoice = self.make_invoice_with_pdf()
        self.env["account.move.send"].with_user(
            self.clerk
        )._generate_and_send_invoices(invoice, sending_methods=["whatsapp_billing"])
        message = invoice.wab_message_ids
        self.assertEqual(message.state, "queued")
        line = message.mail_message_id
        self.assertIn(invoice.name, line.body)
        self.assertEqual(line.attachment_ids, invoice.invoice_pdf_report_id)

    def test_receipt_of_a_payment(self):
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.partner.id,
                "payment_type": "inbound",
                "partner_type": "customer",
                "amount": 40,
            }
        )
        payment.action_post()
        result = payment.with_user(self.clerk).wab_send_receipt()
        self.assertEqual((result[0]["state"], result[0]["reason"]), ("queued", False))

    def test_sales_receipt_and_credit_note(self):
        for move_type in ("out_receipt", "out_refund"):
            document = self._make_invoice(move_type=move_type)
            self.assertFalse(self.reason(document), move_type)

    def test_hundred_invoices_take_as_many_queries_as_fifty(self):
        invoices = self.env["account.move"].concat(
            *(self._make_invoice() for _n in range(20))
        )
        self.env.flush_all()

        def queries(documents):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            documents.with_user(self.clerk).wab_send()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        queries(invoices[:2])
        self.assertLessEqual(queries(invoices[10:]), queries(invoices[5:10]) + 3)
