# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A message is as readable, and as actionable, as what it is about."""

import json

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.mail.tools.discuss import Store

from .rights_common import RightsCommon

MESSAGES = "whatsapp.billing.message"


@tagged("post_install", "-at_install")
class TestMessageAccess(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.about_invoice = cls._make_message(
            res_model="account.move",
            res_id=cls.invoice.id,
            partner_id=cls.partner.id,
            state="failed",
            attempt_ids=[
                Command.create({"number": 1, "kind": "pace", "outcome": "queued"})
            ],
        )
        cls.about_contact = cls._make_message(
            res_model="res.partner", res_id=cls.partner.id, partner_id=cls.partner.id
        )
        cls.without_document = cls._make_message(partner_id=cls.partner.id)
        cls.from_customer = cls._make_message(
            direction="in", state="received", partner_id=cls.partner.id
        )
        cls.from_stranger = cls._make_message(direction="in", state="received")
        cls.answer_to_invoice = cls._make_message(
            direction="in",
            state="received",
            res_model="account.move",
            res_id=cls.invoice.id,
            partner_id=cls.partner.id,
        )
        cls.theirs = cls._make_message(
            company=cls.other_company,
            res_model="account.move",
            res_id=cls.other_invoice.id,
            partner_id=cls.partner.id,
        )
        cls.all = cls.env[MESSAGES].union(
            cls.about_invoice,
            cls.about_contact,
            cls.without_document,
            cls.from_customer,
            cls.from_stranger,
            cls.answer_to_invoice,
            cls.theirs,
        )
        cls.documents = cls.about_invoice | cls.answer_to_invoice
        cls.contacts = cls.about_contact | cls.without_document
        cls.talk = cls.from_customer | cls.from_stranger
        cls.readable = {
            "sender": cls.contacts,
            "clerk": cls.documents | cls.contacts,
            "accountant": cls.documents | cls.contacts,
            "agent": cls.documents | cls.contacts | cls.talk,
            "manager": cls.documents | cls.contacts | cls.talk,
            "other_sender": cls.env[MESSAGES],
            "other_clerk": cls.theirs,
            "other_agent": cls.theirs,
            "other_manager": cls.theirs,
        }

    def _mine(self, name):
        """Return the messages of this test that a user finds."""
        domain = [("id", "in", self.all.ids)]
        return self._as(self.env[MESSAGES], name).search(domain)

    def test_search_finds_what_may_be_read(self):
        for name, wanted in self.readable.items():
            with self.subTest(user=name):
                self.assertEqual(set(self._mine(name).ids), set(wanted.ids))

    def test_counts_and_groups_tell_no_more(self):
        domain = [("id", "in", self.all.ids)]
        for name, wanted in self.readable.items():
            messages = self._as(self.env[MESSAGES], name)
            with self.subTest(user=name):
                self.assertEqual(messages.search_count(domain), len(wanted))
                groups = messages._read_group(domain, ["direction"], ["__count"])
                self.assertEqual(sum(count for _way, count in groups), len(wanted))
                pivot = messages.formatted_read_group(
                    domain, ["partner_id", "state"], ["__count"]
                )
                self.assertEqual(sum(row["__count"] for row in pivot), len(wanted))

    def test_reading_and_exporting_is_refused_where_searching_finds_nothing(self):
        for name, wanted in self.readable.items():
            for message in self.all:
                mine = self._as(message, name)
                with self.subTest(user=name, message=message.id):
                    if message in wanted:
                        mine.read(["body", "explanation", "trace"])
                        continue
                    with self.assertRaises(AccessError):
                        mine.read(["body"])
                    with self.assertRaises(AccessError):
                        mine.export_data(["body"])
                    self.assertFalse(mine.has_access("read"))

    def test_nobody_without_our_groups_reads_any(self):
        for name in ("portal", "internal", "other_portal", "other_internal"):
            for message in self.all:
                with self.subTest(user=name), self.assertRaises(AccessError):
                    self._as(message, name).read(["state"])

    def test_a_customer_at_the_portal_reads_nothing_of_ours(self):
        """They read their own invoice, and every field of it that has no groups."""
        self.users["portal"].sudo().partner_id.parent_id = self.partner
        self.invoice.sudo().message_subscribe(self.partner.ids)
        for record in (self.invoice, self.users["portal"].partner_id):
            mine = self._as(record, "portal")
            mine.read(["display_name"])
            ours = [name for name in record._fields if name.startswith("wab_")]
            self.assertGreater(len(ours), 5)
            for name in ours:
                with (
                    self.subTest(model=record._name, field=name),
                    self.assertRaises(AccessError),
                ):
                    mine.read([name])

    def test_what_is_closed_to_the_portal_follows_the_user_s_groups(self):
        user = self.users["portal"].sudo()
        partners = self._as(user.partner_id, "portal")
        for name, is_open in (
            ("base.group_portal", False),
            ("base.group_user", True),
            ("base.group_portal", False),
        ):
            user.group_ids = self.env.ref(name)
            found = partners._has_field_access(partners._fields["wab_number"], "read")
            self.assertEqual(found, is_open, name)

    def test_every_button_asks_the_same(self):
        for name in ("sender", "other_clerk", "other_manager", "portal"):
            mine = self._as(self.about_invoice, name)
            for action in (
                "action_retry",
                "action_cancel",
                "action_why",
                "action_open_document",
                "action_open_message",
            ):
                with (
                    self.subTest(user=name, action=action),
                    self.assertRaises(AccessError),
                ):
                    getattr(mine, action)()
        self.assertEqual(self.about_invoice.state, "failed")
        # One that may not be read among many stops them all.
        with self.assertRaises(AccessError):
            self._as(self.about_invoice | self.about_contact, "sender").action_cancel()

    def test_clerk_retries_what_is_about_an_invoice(self):
        self._as(self.about_invoice, "clerk").action_retry()
        self.assertEqual(self.about_invoice.state, "queued")

    def test_attempts_are_as_readable_as_their_message(self):
        attempt = self.about_invoice.attempt_ids
        for name, may in (("sender", False), ("clerk", True), ("other_agent", False)):
            with self.subTest(user=name):
                mine = self._as(attempt, name)
                self.assertEqual(mine.has_access("read"), may)
                found = mine.search([("id", "=", attempt.id)])
                self.assertEqual(bool(found), may)

    def test_rules_of_the_document_decide_row_by_row(self):
        """A sibling: a salesperson who reads own invoices reads their messages only."""
        self.env["ir.rule"].sudo().create(
            {
                "name": "Own invoices only",
                "model_id": self.env["ir.model"]._get("account.move").id,
                "domain_force": "[('invoice_user_id', '=', user.id)]",
            }
        )
        self.assertNotIn(self.about_invoice, self._mine("clerk"))
        self.assertFalse(self._as(self.about_invoice, "clerk").has_access("read"))
        self.invoice.sudo().invoice_user_id = self.users["clerk"]
        self.assertIn(self.about_invoice, self._mine("clerk"))

    def test_a_letter_about_many_invoices_needs_them_all(self):
        other = self._make_invoice(amount=77.0)
        line = other.line_ids.filtered(lambda one: one.debit)[:1]
        self.about_invoice.document_type = "payment_reminder"
        self.env["whatsapp.billing.collection.item"].sudo().create(
            {"message_id": self.about_invoice.id, "move_line_id": line.id}
        )
        self.assertIn(self.about_invoice, self._mine("clerk"))
        self.env["ir.rule"].sudo().create(
            {
                "name": "Not that one",
                "model_id": self.env["ir.model"]._get("account.move").id,
                "domain_force": f"[('id', '!=', {other.id})]",
            }
        )
        self.assertNotIn(self.about_invoice, self._mine("clerk"))

    def test_messages_about_any_model_follow_it(self):
        """A sibling: an automation rule writes about products, say."""
        product = self.env["product.product"].sudo().create({"name": "Chair"})
        message = self._make_message(
            res_model="product.product", res_id=product.id, partner_id=self.partner.id
        )
        found = self._as(self.env[MESSAGES], "clerk").search([("id", "=", message.id)])
        self.assertTrue(found)
        product.company_id = self.other_company
        self.assertFalse(self._as(message, "clerk").has_access("read"))

    def test_a_relation_shows_no_more(self):
        self.assertEqual(
            set(self._as(self.partner, "sender").wab_partner_message_ids.ids)
            & set(self.all.ids),
            set(self.contacts.ids),
        )

    def test_a_condition_over_a_relation_tells_no_more(self):
        partners = self._as(self.env["res.partner"], "sender")
        about = [("res_model", "=", "account.move"), ("res_id", "=", self.invoice.id)]
        self.assertFalse(partners.search([("wab_partner_message_ids", "any", about)]))


@tagged("post_install", "-at_install")
class TestFailuresAreTheirs(RightsCommon):
    """Odoo lets every employee read all notifications."""

    def _read_failures(self, name):
        found = self._as(self.env["mail.notification"], name).search(
            [("notification_type", "=", "whatsapp_billing")]
        )
        return found.res_partner_id.sudo().mapped("name")

    def test_nobody_else_lists_whom_a_company_did_not_reach(self):
        (result,) = self._as(self.invoice, "clerk").wab_send()
        messages = self.env["whatsapp.billing.message"].sudo()
        message = messages.browse(result["message_id"])
        message.state = "failed"
        message._after_state_change()
        notification = message.mail_message_id.sudo().notification_ids
        self.assertEqual(notification.notification_status, "exception")
        self.env.flush_all()
        self.env.invalidate_all()
        for name in sorted(set(self.users) - {"clerk"}):
            with self.subTest(user=name):
                self.assertFalse(self._read_failures(name))
                self.assertFalse(self._as(notification, name)._filtered_access("read"))
        self.assertEqual(self._read_failures("clerk"), self.partner.mapped("name"))
        # A colleague who may read the invoice sees in its chatter whom it did not reach.
        store = Store()
        store.add(self._as(message.mail_message_id, "manager"))
        (shown,) = store.get_result()["mail.notification"]
        self.assertEqual(shown["id"], notification.id)

    def test_nobody_takes_the_place_of_a_failure(self):
        """An own entry on the line, called a failure, would be the only one."""
        (result,) = self._as(self.invoice, "clerk").wab_send()
        messages = self.env["whatsapp.billing.message"].sudo()
        message = messages.browse(result["message_id"])
        colleague = self.users["accountant"].partner_id
        values = {
            "mail_message_id": message.mail_message_id.id,
            "res_partner_id": colleague.id,
            "author_id": colleague.id,
            "notification_status": "canceled",
        }
        entries = self._as(self.env["mail.notification"], "accountant")
        failure = {
            "notification_type": "whatsapp_billing",
            "wab_company_id": self.company.id,
        }
        with self.assertRaises(AccessError):
            entries.create(values | failure)
        own = entries.create(values | {"notification_type": "inbox"})
        for name, value in failure.items():
            with self.subTest(name), self.assertRaises(AccessError):
                own.write({name: value})
        message.state = "failed"
        message._after_state_change()
        self.assertEqual(self._read_failures("clerk"), self.partner.mapped("name"))


@tagged("post_install", "-at_install")
class TestKeysOfLinks(RightsCommon):
    """What opens a page without a login is the customer's alone."""

    def _send(self, template=False):
        invoice = self._as(self.invoice, "clerk")
        result = invoice.wab_send(template=template, key="once")
        message = self._as(self.env[MESSAGES], "clerk").browse(result[0]["message_id"])
        self.assertTrue(self.invoice.access_token)
        return message

    def _everything_read(self, name, message):
        """Return all that a user can read about the message, by any door."""
        mine = self._as(message, name)
        readable = list(mine.fields_get())
        texts = [json.dumps(mine.read(readable), default=str)]
        texts.append(json.dumps(mine.export_data(readable[:60]), default=str))
        texts.append(str(mine.copy_data() if mine.has_access("create") else ""))
        chatter = self._as(self.invoice, name).message_ids
        texts += [str(body) for body in chatter.mapped("body")]
        return "\n".join(texts)

    def test_no_key_in_what_people_read(self):
        message = self._send()
        self.assertEqual(message.state, "queued")
        for name in ("clerk", "agent", "manager", "accountant"):
            with self.subTest(user=name):
                text = self._everything_read(name, message)
                self.assertNotIn(self.invoice.access_token, text)

    def test_the_customer_gets_the_key(self):
        message = self._send()
        content = json.dumps(message.sudo().content)
        self.assertIn(self.invoice.access_token, content)

    def test_parameters_are_nobody_s_to_read_or_search(self):
        message = self._send()
        for field in ("content", "result"):
            with self.assertRaises(AccessError):
                self._as(message, "manager").read([field])
            with self.assertRaises(AccessError):
                self._as(message, "administrator").search([(field, "!=", False)])

    def test_previews_have_no_key(self):
        wizard = self._as(self.env["whatsapp.billing.compose"], "clerk").create(
            {"res_model": "account.move", "res_ids": self.invoice.ids}
        )
        text = json.dumps(wizard.read(), default=str)
        self.assertIn("Ana Perez", text)
        self.assertNotIn(self.invoice.access_token, text)

    def _put_link_into(self, component):
        """Have a text of the template say the page of the document, with its key."""
        template = self.templates["invoice"].sudo()
        template.write({"status": "draft", "is_default": False})
        if component == "header":
            template.write({"header_type": "text", "header_text": "See {{1}}"})
            template.variable_ids = [
                Command.create(
                    {
                        "component": "header",
                        "name": "Page",
                        "field_path": "wab_pay_link",
                        "sample": "my/invoices/1",
                    }
                )
            ]
        else:
            template.variable_ids.filtered(
                lambda one: (one.component, one.position) == (component, 2)
            ).field_path = "wab_pay_link"
        template.write({"remote_components": False, "status": "approved"})
        return template

    def test_a_link_in_a_text_is_refused_and_kept_without_its_key(self):
        """A sibling: the row that says why it was refused is read as any other."""
        message = self._send(self._put_link_into("body").id)
        self.assertEqual(message.reason, "template_unsupported")
        self.assertIn(f"my/invoices/{self.invoice.id}", message.body)
        for name in ("clerk", "agent", "manager", "accountant"):
            with self.subTest(user=name):
                text = self._everything_read(name, message)
                self.assertNotIn(self.invoice.access_token, text)

    def test_no_preview_of_a_link_in_a_text_has_the_key(self):
        """A sibling: while a template is written, and before it is sent."""
        self.invoice._portal_ensure_token()
        for component in ("body", "header"):
            template = self._put_link_into(component)
            wizard = self._as(self.env["whatsapp.billing.compose"], "clerk").create(
                {
                    "res_model": "account.move",
                    "res_ids": self.invoice.ids,
                    "template_id": template.id,
                }
            )
            form = self._as(template, "manager")
            form.preview_res_id = self.invoice.id
            self.assertIn(f"my/invoices/{self.invoice.id}", form.preview_html)
            for text in (json.dumps(wizard.read(), default=str), form.preview_html):
                with self.subTest(component=component):
                    self.assertNotIn(self.invoice.access_token, text)
