# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What may be written into a message: only what its readers may be told."""

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.common.send_request import SendRequest
from .lifecycle_common import LifecycleCommon

SECRETS = [
    "user_id.totp_secret",
    "user_id.login",
    "user_id.partner_id.name",
    "company_id.wab_account_id.webhook_token",
    "company_id.wab_account_id.name",
    "access_token",
    "signup_token",
    "create_uid.password",
    "partner_id.credit_limit",
]


@tagged("post_install", "-at_install")
class TestTemplateRights(LifecycleCommon):
    def make_untyped(self, path, **values):
        """Return a template that was not for any document when its field was named."""
        template = (
            self.env["whatsapp.billing.template"]
            .with_user(self.manager)
            .create(
                {
                    "name": "Untyped",
                    "account_id": self.account.id,
                    "body": "Hello {{1}}, that is it.",
                    "variable_ids": [
                        Command.create({"name": "X", "field_path": path, "sample": "x"})
                    ],
                    **values,
                }
            )
        )
        template.sudo().write(
            {"status": "approved", "remote_components": template._components()}
        )
        return template

    def check_kept(self, template, record, secret=None):
        """Check that no way of showing a template shows the value, nor sends it."""
        send_request = SendRequest("wab_send", template=template.id, explicit=True)
        arguments = (
            record.with_user(self.clerk),
            {record.id: self.partner},
            {record.id: template.document_type or record._wab_document_type()},
            send_request,
        )
        messages = self.messages.with_user(self.clerk).sudo(False)
        (shown,) = messages._preview(*arguments)
        self.assertEqual(shown["reason"], "bad_parameter", shown)
        self.assertFalse(shown["body"])
        self.assertFalse(shown["content"]["body"])
        (result,) = messages._enqueue(*arguments)
        self.assertEqual(result["reason"], "bad_parameter")
        message = self.messages.browse(result["message_id"])
        self.assertEqual(message.state, "canceled")
        for text in (str(shown), str(message.content), message.body or ""):
            if secret:
                self.assertNotIn(secret, text)
        return result["detail"]

    # --- what the type says afterwards ---------------------------------------------------

    def test_no_secret_goes_out_whenever_the_document_is_chosen(self):
        invoice = self._make_invoice()
        for path in SECRETS:
            with self.subTest(path=path):
                template = self.make_untyped(path, name=path)
                detail = self.check_kept(template, invoice)
                self.assertIn(path, detail)
                template.document_type = "invoice"
                self.check_kept(template, invoice)
                template.preview_res_id = invoice.id
                self.assertIn(path, template.problem_html)

    def test_another_users_secret_is_shown_to_nobody(self):
        user = self._make_user("wab_victim", "base.group_user")
        self.env.cr.execute(
            "UPDATE res_users SET totp_secret = 'TOTPSECRET' WHERE id = %s", [user.id]
        )
        user.invalidate_recordset()
        self.partner.user_id = user
        template = self.make_untyped("user_id.totp_secret")
        self.check_kept(template, self.partner, "TOTPSECRET")
        template.document_type = "customer_message"
        template.preview_res_id = self.partner.id
        self.assertNotIn("TOTPSECRET", template.preview_html)
        self.check_kept(template, self.partner, "TOTPSECRET")

    def test_nothing_is_reckoned_of_what_other_companies_keep_of_a_contact(self):
        """Values are read as superuser, who sees the invoices of all companies."""
        for path in (
            "days_sales_outstanding",
            "supplier_invoice_count",
            "activity_type_icon",
        ):
            with self.subTest(path=path):
                template = self.make_untyped(path, name=path)
                self.assertIn(path, self.check_kept(template, self.partner))
                template.document_type = "customer_message"
                template.preview_res_id = self.partner.id
                self.assertIn(path, template.problem_html)

    def test_what_customers_are_told_anyway_goes_out(self):
        invoice = self._make_invoice()
        invoice.invoice_user_id = self.clerk
        for path in (
            "name",
            "partner_id.vat",
            "company_id.partner_id.city",
            "currency_id.symbol",
            "invoice_user_id.name",
            "partner_id.country_id.code",
            "recipient.name",
        ):
            template = self.make_untyped(path, name=path)
            self.assertFalse(template._get_misfit("account.move"), path)
        template.document_type = "invoice"
        self.assertFalse(self.send(invoice, template=template.id).reason)
        text = template._get_variable_text(
            invoice, self.partner, template.variable_ids, ""
        )
        self.assertEqual(text, "Ana Perez")

    # --- whose rights -------------------------------------------------------------------

    def test_what_the_writer_may_not_read_goes_out_for_nobody(self):
        template = self.make_untyped("partner_id.parent_id.name")
        self.assertFalse(template.sudo(False)._get_misfit("account.move"))
        variable = template.variable_ids
        self.assertEqual(variable.writer_id, self.manager)
        outsider = self._make_user("wab_out", "base.group_user")
        variable.with_user(outsider).sudo().field_path = "ref"
        self.assertEqual(variable.writer_id, outsider)
        detail = self.check_kept(template, self._make_invoice())
        self.assertIn("kept from some users", detail)

    def test_what_the_sender_may_not_read_does_not_go_out(self):
        sender = self._make_user("wab_sender", "whatsapp_billing.group_user")
        payment = self.env["account.payment"].create(
            {"partner_id": self.partner.id, "amount": 1.0}
        )
        template = self.make_untyped("journal_id.name")
        self.assertFalse(template._get_misfit("account.payment"))
        mine = template.with_user(sender).sudo()
        self.assertIn("journal_id", mine._get_misfit("account.payment"))
        rendered = mine._render_values(payment, {payment.id: self.partner})
        self.assertFalse(rendered[payment.id, self.partner.id]["body"])

    def test_nobody_gives_a_field_another_writer(self):
        variable = self.make_untyped("name").variable_ids
        variable.write({"writer_id": self.env.ref("base.user_root").id})
        self.assertEqual(variable.writer_id, self.manager)
        template = variable.template_id
        template.write(
            {
                "variable_ids": [
                    Command.update(
                        variable.id,
                        {
                            "field_path": "ref",
                            "writer_id": self.env.ref("base.user_root").id,
                        },
                    )
                ]
            }
        )
        self.assertEqual(variable.writer_id, self.manager)

    # --- what is no value -----------------------------------------------------------------

    def test_what_is_no_single_value_is_refused_in_words(self):
        template = self.make_untyped("name", document_type="invoice")
        variable = template.variable_ids
        for path, word in (
            ("line_ids.name", "several"),
            ("partner_id.child_ids", "several"),
            ("invoice_line_ids", "several"),
            ("company_id.logo", "picture"),
            ("partner_id.image_128", "picture"),
            ("action_post()", "not a field"),
            ("partner_id.unlink", "not a field"),
            ("partner_id.__class__", "not a field"),
            ("narration", "not a field"),
            ("wab_still_open", "not a field"),
            ("", ""),
        ):
            with self.subTest(path=path):
                if not path:
                    variable.field_path = path
                    continue
                with self.assertRaisesRegex(ValidationError, word):
                    variable.field_path = path

    def test_a_value_of_another_document_stops_nobody(self):
        template = self.make_untyped("wab_still_open")
        self.check_kept(template, self.partner)
        template = self.make_untyped("wab_open_total", name="Total")
        self.check_kept(template, self.partner)

    # --- what only the provider says ----------------------------------------------------

    def test_people_do_not_speak_for_the_provider(self):
        template = self.make_untyped("name")
        for values in (
            {"status": "approved"},
            {"template_uid": "1"},
            {"remote_components": []},
            {"unsupported_parts": False},
            {"obstacle": False},
            {"edited_at": []},
        ):
            with self.assertRaises(AccessError, msg=values):
                template.write(values)
            with self.assertRaises(AccessError, msg=values):
                self.env["whatsapp.billing.template"].with_user(self.manager).create(
                    {"name": "X", "body": "Hello there"} | values
                )

    def test_the_check_is_asked_once_for_all_documents(self):
        template = self.templates["invoice"].with_user(self.clerk)
        invoices = self._make_invoice() | self._make_invoice()
        asked = []
        variables = self.env["whatsapp.billing.template.variable"]
        original = type(variables)._get_path_problem

        def count(variable, model, path):
            asked.append(path)
            return original(variable, model, path)

        self.patch(type(variables), "_get_path_problem", count)
        template._render_values(invoices, {i.id: i.partner_id for i in invoices})
        self.assertEqual(len(asked), len(template.variable_ids))
