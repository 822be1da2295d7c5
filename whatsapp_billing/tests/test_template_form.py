# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A template as somebody writes it in the form."""

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import WhatsappBillingCommon

PAGE = "{base}/{{1}}"


@tagged("post_install", "-at_install")
class TestTemplateForm(WhatsappBillingCommon):
    def open(self, record=None):
        templates = self.env["whatsapp.billing.template"].with_user(self.manager)
        return Form(record.with_user(self.manager) if record else templates)

    def rows(self, template):
        return [
            (v.component, v.position, v.field_path or "", v.format)
            for v in template.variable_ids.sorted(lambda v: (v.component, v.position))
        ]

    # --- rows come from the text ---------------------------------------------------------

    def test_rows_come_and_go_with_the_text(self):
        with self.open() as form:
            form.name = "New"
            form.document_type = "invoice"
            form.body = "Hello {{1}}, your invoice {{2}} is here."
            self.assertEqual(len(form.variable_ids), 2)
            form.body = "Hello {{1}}, it is here."
            self.assertEqual(len(form.variable_ids), 1)
            form.header_type = "text"
            form.header_text = "Invoice {{1}}"
            self.assertEqual(len(form.variable_ids), 2)
        self.assertEqual(
            self.rows(form.record),
            [("body", 1, "", "text"), ("header", 1, "", "text")],
        )

    def test_a_chosen_field_brings_format_and_example(self):
        with self.open() as form:
            form.name = "New"
            form.document_type = "invoice"
            form.body = "Hello {{1}}, it is here."
            with form.variable_ids.edit(0) as row:
                row.source = "due_date"
                self.assertEqual(row.format, "date")
                self.assertTrue(row.sample)
                self.assertEqual(row.name, "Due date")
        self.assertEqual(
            self.rows(form.record), [("body", 1, "invoice_date_due", "date")]
        )
        self.assertEqual(form.record.variable_ids.source, "due_date")

    def test_insert_adds_the_variable_and_its_row(self):
        with self.open() as form:
            form.name = "New"
            form.document_type = "invoice"
            form.body = "Hello"
            form.insert_choice = "recipient"
            self.assertEqual(form.body, "Hello {{1}} ")
            self.assertFalse(form.insert_choice)
            form.insert_choice = "total"
            form.body = form.body + "is due."
        self.assertEqual(
            self.rows(form.record),
            [
                ("body", 1, "recipient.name", "text"),
                ("body", 2, "amount_total", "money"),
            ],
        )
        problems = [p["code"] for p in form.record.problems or []]
        self.assertNotIn("sample_missing", problems)

    def test_insert_puts_the_variable_where_the_cursor_stands(self):
        templates = self.env["whatsapp.billing.template"].with_user(self.manager)
        template = templates.new(
            {
                "document_type": "invoice",
                "body": "Hello, your invoice is due on {{1}}.",
                "insert_at": len("Hello"),
                "insert_choice": "recipient",
            }
        )
        template._onchange_insert_choice()
        self.assertEqual(template.body, "Hello {{2}}, your invoice is due on {{1}}.")
        self.assertEqual(template.insert_at, -1)
        template.insert_at = len("Hello {{2}}, your invoice")
        template.insert_choice = "number"
        template._onchange_insert_choice()
        self.assertEqual(
            template.body, "Hello {{2}}, your invoice {{3}} is due on {{1}}."
        )
        self.assertEqual(
            self.rows(template),
            [
                ("body", 2, "recipient.name", "text"),
                ("body", 3, "name", "text"),
            ],
        )

    def test_the_short_list_has_what_the_document_has(self):
        form = self.open()
        form.document_type = "invoice"
        self.assertIn("amount_due", form.usual_sources)
        self.assertNotIn("paid_on", form.usual_sources)
        self.assertNotIn("still_open", form.usual_sources)
        self.assertIn("number", form.usual_sources)
        form.document_type = "payment_receipt"
        self.assertIn("left_to_pay", form.usual_sources)
        self.assertNotIn("due_date", form.usual_sources)
        form.document_type = "customer_message"
        self.assertIn("recipient", form.usual_sources)
        # Fields of the same name that are something else: a contact's own name.
        for source in ("number", "reference", "total", "customer"):
            self.assertNotIn(source, form.usual_sources)
        form.body = "Hello {{1}}"
        with form.variable_ids.edit(0) as row:
            self.assertEqual(row.usual_sources, [*form.usual_sources, "field"])

    def test_where_to_pay_goes_into_a_message(self):
        bank = self.env["res.partner.bank"].create(
            {
                "acc_number": "ES9121000418450200051332",
                "partner_id": self.company.partner_id.id,
                "allow_out_payment": True,
            }
        )
        invoice = self._make_invoice()
        invoice.partner_bank_id = bank
        with self.open() as form:
            form.name = "Where to pay"
            form.document_type = "invoice"
            form.body = "Please pay to"
            form.insert_choice = "bank_account"
            form.body = form.body + "with the reference"
            form.insert_choice = "payment_reference"
            form.body = form.body + "in time."
        values = form.record._read_documents(invoice.sudo(), "en_US")[invoice.id]
        self.assertEqual(
            [values[variable] for variable in form.record.variable_ids],
            ["ES9121000418450200051332", invoice.payment_reference],
        )

    def test_what_the_document_does_not_have_is_not_inserted(self):
        form = self.open()
        form.name = "New"
        form.document_type = "customer_message"
        form.body = "Hello"
        form.insert_choice = "total"
        self.assertEqual(form.body, "Hello")

    def test_the_page_of_the_document_needs_only_a_text(self):
        with self.open() as form:
            form.name = "New"
            form.document_type = "invoice"
            form.body = "Your invoice is here."
            with form.button_ids.new() as button:
                button.choice = "document"
                self.assertEqual(button.text, "View and pay")
        template = form.record
        self.assertEqual(template.button_ids.value, PAGE)
        self.assertEqual(template.button_ids.kind, "url")
        self.assertEqual(self.rows(template), [("button", 1, "wab_pay_link", "text")])
        self.assertFalse(
            [p for p in template.problems or [] if p["severity"] == "error"]
        )

    def test_other_buttons_need_no_row(self):
        with self.open() as form:
            form.name = "New"
            form.body = "Your invoice is here."
            with form.button_ids.new() as button:
                button.choice = "phone"
                button.text = "Call"
                button.value = "+34910000001"
            with form.button_ids.new() as button:
                button.choice = "quick_reply"
                button.text = "Thanks"
        self.assertEqual(
            form.record.button_ids.mapped("kind"), ["phone", "quick_reply"]
        )
        self.assertFalse(form.record.variable_ids)

    # --- what is fixed -------------------------------------------------------------------

    def test_what_whatsapp_has_cannot_be_typed_into(self):
        template = self.templates["invoice"]
        self.assertTrue(template.with_user(self.manager).fixed_sentence)
        form = self.open(template)
        with self.assertRaisesRegex(AssertionError, "readonly"):
            form.body = "Another text"
        template.sudo().status = "rejected"
        with self.open(template) as form:
            form.body = "Hello {{1}}, document {{2}} over {{3}} is here."
        self.assertIn("is here", template.body)

    # --- who is used ----------------------------------------------------------------------

    def test_approval_takes_no_default_away(self):
        ready = self.templates["invoice"]
        for status in ("approved", "draft", "pending"):
            ready.sudo().status = status
            mine = ready.copy({"template_name": f"mine_{status}"}).sudo()
            mine.status = "approved"
            mine._become_default()
            self.assertFalse(mine.is_default, status)
            self.assertTrue(ready.is_default, status)
            self.assertIn(ready.name, mine.default_question)
        ready.sudo().status = "disabled"
        mine._become_default()
        self.assertTrue(mine.is_default)
        self.assertFalse(mine.default_question)
        self.assertIn("no other was chosen", mine.message_ids[0].body)

    def test_ready_templates_of_a_language_that_was_activated_later(self):
        templates = self.env["whatsapp.billing.template"].with_user(self.manager)
        templates.action_add_ready()
        before = templates.search_count([("lang_code", "=", "pt_BR")])
        self.env["res.lang"]._activate_lang("pt_BR")
        action = templates.action_add_ready()
        added = templates.search([("lang_code", "=", "pt_BR")])
        self.assertFalse(before)
        self.assertIn(str(len(added)), action["params"]["message"])
        self.assertIn("customer_message", added.mapped("document_type"))
        self.assertEqual(templates.action_add_ready()["params"]["type"], "info")
        with self.assertRaises(AccessError):
            templates.with_user(self.clerk).action_add_ready()

    # --- drafts ----------------------------------------------------------------------------

    def test_a_draft_is_deleted_without_a_word_to_whatsapp(self):
        draft = self.templates["invoice"].with_user(self.manager).copy()
        action = draft.action_delete_draft()
        self.assertFalse(draft.exists())
        self.assertEqual(action["res_model"], "whatsapp.billing.template")
        self.assertFalse(self.transport.calls)
        with self.assertRaises(UserError):
            self.templates["invoice"].with_user(self.manager).action_delete_draft()

    # --- what is said -----------------------------------------------------------------------

    def test_a_refusal_is_said_until_the_template_changes(self):
        for change in (
            lambda t: t.write({"body": "Hello {{1}}, {{2}} over {{3}} is here."}),
            lambda t: t.variable_ids[0].write({"sample": "Eva"}),
            lambda t: t.button_ids[0].write({"text": "Look"}),
        ):
            draft = self.templates["invoice"].with_user(self.manager).copy()
            draft.sudo().status_detail = "Give an example."
            change(draft)
            self.assertFalse(draft.status_detail)

    def test_approved_templates_are_put_at_risk_by_no_press_alone(self):
        template = self.templates["invoice"].with_user(self.manager)
        template.action_submit()
        self.assertEqual(template.status, "approved")
        self.assertIn("approved this text already", template.status_detail)
        parameters = self.env["ir.config_parameter"].sudo()
        for address in ("http://192.168.1.5:8069", "http://localhost:8069"):
            parameters.set_param("web.base.url", address)
            template.invalidate_recordset(["is_address_moved"])
            self.assertTrue(template.is_address_moved)
            template.action_submit()
            self.assertEqual(template.status, "approved")
            self.assertIn(address, template.status_detail)
        self.assertFalse(self.transport.calls)

    def test_a_change_of_what_works_asks_first(self):
        """In every view: also of one that is paused or waits for its approval."""
        views = self.env["ir.ui.view"].search(
            [("model", "=", "whatsapp.billing.template")]
        )
        templates = self.env["whatsapp.billing.template"].with_user(self.manager)
        pressed = 0
        for view in views.filtered(lambda one: one.mode == "primary"):
            arch = etree.fromstring(templates.get_view(view.id, view.type)["arch"])
            for button in arch.xpath("//button[@name='action_submit']"):
                hidden = button.get("invisible", "False")
                for status in ("approved", "paused", "pending"):
                    values = {"status": status, "has_unsent_changes": True}
                    values["is_address_moved"] = False
                    if safe_eval(hidden, values):
                        continue
                    pressed += 1
                    with self.subTest(view=view.name, status=status):
                        self.assertTrue(button.get("confirm"))
        self.assertTrue(pressed)

    # --- tones -------------------------------------------------------------------------------

    def test_steps_speak_before_overdue_and_last(self):
        neutral = self.templates["payment_reminder"]
        tones = {
            tone: self._make_template(
                self.account,
                "payment_reminder",
                template_name=f"tone_{tone}",
                reminder_tone=tone,
                is_default=False,
            )
            for tone in ("overdue", "last")
        }
        plan = (
            self.env["whatsapp.billing.collection.plan"]
            .sudo()
            .create(
                {
                    "name": "Tones",
                    "company_id": self.company.id,
                    "step_ids": [(0, 0, {"days": days}) for days in (-3, 0, 3, 10, 20)],
                }
            )
        )
        found = [
            neutral._reminder_template(step, self.account, ["en"], False)
            for step in plan.step_ids.sorted("days")
        ]
        overdue, last = tones["overdue"], tones["last"]
        self.assertEqual(found, [neutral, neutral, overdue, overdue, last])
        self.assertTrue(neutral.is_default)
        tones["last"].sudo().lang_code = "fr"
        step = plan.step_ids.sorted("days")[-1]
        self.assertEqual(
            neutral._reminder_template(step, self.account, ["en", "fr"], False),
            neutral,
            "a tone is no reason for another language",
        )
        step.template_id = neutral
        self.assertEqual(
            neutral._reminder_template(step, self.account, ["en"], False), neutral
        )
