# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .lifecycle_common import LifecycleCommon

# What the composer's form reads when it opens, and what the two clicks may ask.
FORM = ["headline", "alerts", "cost_html", "preview_html", "allowed_template_ids"]
OPENING = 37
PRESSING = 55


@tagged("post_install", "-at_install")
class TestComposer(LifecycleCommon):
    def open(self, records, user=None):
        """Open the composer as the list action does."""
        action = records.with_user(user or self.clerk).action_wab_compose()
        return (
            self.env[action["res_model"]]
            .with_user(user or self.clerk)
            .browse(action["res_id"])
        )

    def sent(self, wizard):
        """Press Send; return the messages that the result opens, or that it made."""
        action = wizard.action_send()
        self.assertEqual(action["tag"], "display_notification")
        after = action["params"]["next"]
        if wizard.is_single:
            self.assertEqual(after, {"type": "ir.actions.act_window_close"})
            return self.messages.browse(sorted(wizard.summary["message_ids"]))
        return self.messages.search(after["domain"], order="id")

    def make_payment(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner.id,
                "amount": 40,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        return payment

    # --- invoices -------------------------------------------------------------------

    def test_bulk_says_who_gets_it_and_why_not(self):
        lost = self._make_customer("Nadia", False)
        off = self._make_customer("Otto", "+34600000005", wab_enabled=False)
        going = self._make_invoice() | self._make_invoice(move_type="out_refund")
        no_number, not_enabled = self._make_invoice(lost), self._make_invoice(off)
        wizard = self.open(going | no_number | not_enabled)
        self.assertEqual(wizard.message_count, 2)
        self.assertEqual(wizard.headline, "2 messages will be sent.")
        self.assertEqual(set(wizard.alerts), {"no_number", "not_enabled"})
        self.assertEqual(
            wizard.alerts["not_enabled"]["action"]["domain"],
            [["id", "in", not_enabled.ids]],
        )
        self.assertEqual(
            wizard.alerts["no_number"]["action"]["res_model"], "res.partner"
        )
        messages = self.sent(wizard)
        self.assertEqual(
            [(m.res_id, m.state, m.reason) for m in messages],
            [
                (going[0].id, "queued", False),
                (going[1].id, "queued", False),
                (no_number.id, "canceled", "no_number"),
                (not_enabled.id, "canceled", "not_enabled"),
            ],
        )

    def test_form_opens_and_previews_each_template(self):
        spanish = self._make_template(self.account, "invoice", "es")
        luis = self._make_customer("Luis", "+34600000002", "es_ES")
        wizard = self.open(self._make_invoice() | self._make_invoice(luis))
        with Form(wizard) as form:
            self.assertIn("Hello Ana Perez", form.preview_html)
            self.assertEqual(len(form.shown_template_ids), 2)
            form.shown_template_id = spanish
            self.assertIn("Hello Luis", form.preview_html)
        self.assertEqual(wizard.message_count, 2)

    def test_chosen_template_for_everybody(self):
        spanish = self._make_template(self.account, "invoice", "es")
        wizard = self.open(self._make_invoice())
        with Form(wizard) as form:
            form.template_id = spanish
        self.assertEqual(self.sent(wizard).template_id, spanish)

    def test_only_approved_templates_of_the_kind_can_be_chosen(self):
        draft = self._make_template(
            self.account, "invoice", "es", template_name="d", status="draft"
        )
        wizard = self.open(self._make_invoice())
        self.assertIn(self.templates["invoice"], wizard.allowed_template_ids)
        self.assertNotIn(draft, wizard.allowed_template_ids)
        self.assertNotIn(self.templates["credit_note"], wizard.allowed_template_ids)

    def test_one_document_lets_choose_the_recipients(self):
        boss = self._make_customer("Berta", "+34600000009")
        wizard = self.open(self._make_invoice())
        self.assertEqual(wizard.partner_ids, self.partner)
        wizard.partner_ids = boss
        self.assertEqual(self.sent(wizard).partner_id, boss)

    def test_second_press_sends_nothing_more(self):
        wizard = self.open(self._make_invoice())
        first = self.sent(wizard)
        self.assertEqual(self.sent(wizard), first)
        self.assertEqual(len(first), 1)

    def test_text_that_does_not_fit_is_shown(self):
        template = self._make_template(
            self.account,
            "invoice",
            "es",
            template_name="needs_ref",
            variable_ids=[
                Command.create(
                    {
                        "component": "body",
                        "position": n,
                        "name": "ref",
                        "field_path": "ref",
                        "format": "text",
                        "sample": "x",
                    }
                )
                for n in (1, 2, 3)
            ],
            button_ids=[],
        )
        wizard = self.open(self._make_invoice())
        wizard.template_id = template
        self.assertTrue(wizard.problems_html)
        self.assertEqual(self.sent(wizard).reason, "bad_parameter")

    # --- payments and contacts --------------------------------------------------------

    def test_payment_receipt(self):
        payment = self.make_payment()
        wizard = self.open(payment)
        self.assertIn("Hello Ana Perez", wizard.preview_html)
        self.assertRecordValues(
            self.sent(wizard),
            [
                {
                    "res_model": "account.payment",
                    "res_id": payment.id,
                    "state": "queued",
                    "template_id": self.templates["payment_receipt"].id,
                }
            ],
        )

    def test_contacts_need_a_template(self):
        news = self._make_template(
            self.account,
            "customer_message",
            header_type="none",
            body="Hello {{1}}, we open at 8 from Monday.",
            variable_ids=[
                Command.create(
                    {
                        "component": "body",
                        "position": 1,
                        "name": "Name",
                        "field_path": "recipient.name",
                        "format": "text",
                        "sample": "Ana",
                    }
                )
            ],
            button_ids=[],
        )
        other = self._make_customer("Luis", "+34600000002")
        wizard = self.open(self.partner | other)
        self.assertEqual(wizard.template_id, news, "the default is proposed")
        self.assertFalse(wizard.alerts)
        other.lang = self.env["res.lang"]._activate_lang("es_ES").code
        wizard.invalidate_recordset(["alerts"])
        alert = wizard.alerts["language"]
        self.assertIn("English", alert["message"])
        self.assertEqual(alert["action"]["domain"], [["id", "in", other.ids]])
        wizard.template_id = False
        self.assertEqual(wizard.message_count, 0)
        with self.assertRaisesRegex(UserError, "Choose the template"):
            wizard.action_send()
        with Form(wizard) as form:
            form.template_id = news
            self.assertIn("we open at 8", form.preview_html)
        self.assertEqual(wizard.message_count, 2)
        self.assertEqual(self.sent(wizard).mapped("state"), ["queued", "queued"])

    # --- test message -----------------------------------------------------------------

    def test_test_message_goes_to_the_user_only(self):
        self.clerk.partner_id.write(
            {"phone": "+34600999001", "country_id": self.env.ref("base.es").id}
        )
        move = self._make_invoice()
        wizard = self.open(move)
        action = wizard.action_send_test()
        self.assertIn("+34600999001", action["params"]["message"])
        self.assertRecordValues(
            self.messages.search([("res_id", "=", move.id), ("method", "=", "test")]),
            [{"recipient": "+34600999001", "state": "queued"}],
        )
        self.assertEqual(wizard.message_count, 1, "the real one is still to send")

    def test_test_message_needs_an_own_number(self):
        wizard = self.open(self._make_invoice())
        with self.assertRaisesRegex(UserError, "no WhatsApp number yourself"):
            wizard.action_send_test()

    def test_template_form_sends_a_test_with_an_example(self):
        self.manager.partner_id.phone = "+34600999002"
        move = self._make_invoice()
        template = self.templates["payment_reminder"].with_user(self.manager)
        action = template.action_send_test()
        self.assertEqual(action["params"]["type"], "success")
        message = self.messages.search([("method", "=", "test")])
        self.assertEqual((message.res_id, message.state), (move.id, "queued"))

    def test_template_without_documents_says_so(self):
        self.manager.partner_id.phone = "+34600999002"
        template = self.templates["credit_note"].with_user(self.manager)
        with self.assertRaisesRegex(UserError, "no document yet"):
            template.action_send_test()

    # --- rights and size ----------------------------------------------------------------

    def test_user_without_the_group_is_refused(self):
        user = self._make_user("nobody", "base.group_user")
        with self.assertRaises(AccessError):
            self.partner.with_user(user).action_wab_compose()

    def test_nothing_selected_is_said(self):
        with self.assertRaisesRegex(UserError, "Select what to send"):
            self.env["account.move"].with_user(self.clerk).action_wab_compose()

    def test_vendor_bills_are_refused_with_a_sentence(self):
        bill = self._make_invoice(move_type="in_invoice")
        with self.assertRaisesRegex(UserError, "Only invoices, credit notes"):
            bill.with_user(self.clerk).action_wab_compose()

    def count_queries(self, moves):
        """Return the queries of opening the composer and of pressing Send."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        wizard = self.open(moves)
        wizard.read(["headline", "alerts", "preview_html", "shown_template_ids"])
        self.env.flush_all()
        opened = self.env.cr.sql_log_count
        wizard.action_send()
        self.env.flush_all()
        return opened - before, self.env.cr.sql_log_count - opened

    def test_queries_do_not_grow_with_the_documents(self):
        self.count_queries(self._make_many(2, "+346000"))
        # Odoo inserts rows by the hundred, so both numbers make two inserts.
        few = self.count_queries(self._make_many(101, "+346001"))
        many = self.count_queries(self._make_many(200, "+346002"))
        # What opening has read already, pressing need not: the sum tells.
        self.assertEqual(sum(few), sum(many), (few, many))
        self.assertLess(sum(few), 150)

    def test_each_click_takes_no_more_queries_for_more(self):
        for count in (2, 22):  # what is read once for all is read
            self.list_clicks(self._make_many(count, f"+3460{count:02}"))
        # Both by COPY (`sql_bulk.FEW`), which takes a statement more than the ORM.
        few = self.list_clicks(self._make_many(24, "+346004"))
        many = self.list_clicks(self._make_many(200, "+346005"))
        for click, at_most in (("open", OPENING), ("press", PRESSING)):
            with self.subTest(click):
                # The user's own page may be known, or not, by the second time.
                more = sorted(set(many[click]) - set(few[click]))
                self.assertLessEqual(len(many[click]), len(few[click]) + 2, more)
                self.assertLessEqual(len(many[click]), at_most)

    def list_clicks(self, moves):
        """Return the statements of opening the form and of pressing Send.

        Each as a request of its own, which has nothing of the other in memory.
        """
        opened = []

        def open_form():
            opened.append(self.open(moves))
            opened[0].read(FORM)

        found = {"open": self.list_statements(open_form)}
        found["press"] = self.list_statements(opened[0].action_send)
        self.assertEqual(opened[0].summary["going"], len(moves))
        return found

    def list_statements(self, click):
        statements = []
        execute = type(self.env.cr).execute

        def note(cr, query, *args, **kwargs):
            statements.append(" ".join(str(getattr(query, "code", query)).split()))
            return execute(cr, query, *args, **kwargs)

        self.env.flush_all()
        self.env.invalidate_all()
        with patch.object(type(self.env.cr), "execute", note):
            click()
            self.env.flush_all()
        return statements

    def test_a_row_is_not_written_again_for_what_was_known(self):
        wizard = self.open(self._make_many(3, "+346006"))
        statements = self.list_statements(wizard.action_send)
        messages = self.messages.browse(wizard.summary["message_ids"])
        self.assertEqual(len(set(messages.mapped("person_key"))), 3)
        mine = [s for s in statements if "person_key" in s]
        mine = [s for s in mine if "whatsapp_billing_message" in s]
        self.assertTrue(any("INSERT" in s for s in mine))
        self.assertFalse(any("UPDATE" in s for s in mine))

    def _make_many(self, count, prefix):
        """Return posted invoices of as many customers, not read yet."""
        partners = self.env["res.partner"].create(
            [
                {
                    "name": f"Customer {prefix} {n}",
                    "phone": f"{prefix}{n:05}",
                    "country_id": self.env.ref("base.es").id,
                    "wab_enabled": True,
                }
                for n in range(count)
            ]
        )
        line = {"name": "Work", "price_unit": 10, "tax_ids": False}
        moves = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": partner.id,
                    "invoice_date": "2026-11-01",
                    "invoice_line_ids": [Command.create(line)],
                }
                for partner in partners
            ]
        )
        moves._post(soft=False)
        return moves
