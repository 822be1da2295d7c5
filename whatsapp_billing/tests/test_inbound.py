# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What customers write: kept, judged by their clock, told to a person."""

import base64
import hashlib
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..clients.response import Headers, Response
from .lifecycle_common import LifecycleCommon

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class InboundCommon(LifecycleCommon):
    def inbound(self, wamid="wamid.in1"):
        return self.messages.search([("wamid", "=", wamid)])

    def receive_messages(self, *messages, contacts=None):
        """Receive messages as they are, with what the provider says beside them."""
        defaults = {"from": "34600000001", "timestamp": str(self.stamp())}
        rows = [{**defaults, **message} for message in messages]
        parts = {"contacts": contacts} if contacts is not None else {}
        self.assertTrue(self.receive(self.value(messages=rows, **parts)))
        self.process_inbox()

    def requests(self, record=None):
        kind = self.env.ref("whatsapp_billing.mail_activity_type_wrote")
        record = record or self.partner
        return record.sudo().activity_ids.filtered(lambda a: a.activity_type_id == kind)


@tagged("post_install", "-at_install")
class TestInboundClock(InboundCommon):
    def test_a_time_from_outside_is_at_most_now(self):
        """A message dated 9999 stopped every send to that number."""
        odd = ("253402300799", "99999999999999999999", "0", "-5", "soon", None, "1e9")
        for number, value in enumerate(odd):
            self.receive_text("Hello", wamid=f"wamid.t{number}", timestamp=value)
            message = self.inbound(f"wamid.t{number}")
            self.assertLess(abs(message.sent_at - fields.Datetime.now()), timedelta(1))
            self.assertLessEqual(message.sent_at, fields.Datetime.now())
        self.accept_everything()
        sent = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertEqual(sent.state, "sent")

    def test_receipts_are_at_most_now_too(self):
        self.accept_everything()
        sent = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.receive_statuses(self.status(sent, "delivered", at=253402300799))
        self.assertEqual(sent.state, "delivered")
        self.assertLessEqual(sent.delivered_at, fields.Datetime.now())

    def test_processing_again_keeps_the_time(self):
        self.receive_text("Hello", timestamp="253402300799")
        before = self.inbound().sent_at
        event = self.events.search([], limit=1)
        event.received_at = event.received_at - timedelta(days=2)
        self.inbound().unlink()
        event.with_user(self.manager).action_process_again()
        self.process_inbox()
        self.assertLess(self.inbound().sent_at, before - timedelta(days=1))

    def test_the_customers_time_is_kept(self):
        self.receive_text("Hello", timestamp=str(self.stamp(self.ago(days=3))))
        self.assertEqual(self.inbound().sent_at.date(), self.ago(days=3).date())


@tagged("post_install", "-at_install")
class TestInboundKinds(InboundCommon):
    SILENT = (
        {"type": "request_welcome"},
        {
            "type": "system",
            "system": {"body": "The identity changed", "type": "user_identity_changed"},
        },
        {
            "type": "interactive",
            "interactive": {
                "type": "call_permission_reply",
                "call_permission_reply": {"response": "accept"},
            },
        },
    )

    def test_what_came_by_itself_tells_nobody(self):
        """Opening the chat, notices and permissions are nobody's words."""
        for number, message in enumerate(self.SILENT):
            self.receive_messages({"id": f"wamid.s{number}", **message})
            row = self.inbound(f"wamid.s{number}")
            self.assertTrue(row, message)
            self.assertFalse(row.is_user_message, message)
            self.assertTrue(row.shown_text)
        self.assertFalse(self.requests())

    def test_what_cannot_be_shown_says_so_and_is_told(self):
        """A batch with unreadable rows and an unknown receipt loses nothing."""
        self.accept_everything()
        sent = self.send(self.make_invoice_with_pdf())
        self.drain()
        stamp = str(self.stamp())
        value = self.value(
            statuses=[
                {"id": "wamid.nobody", "status": "delivered", "timestamp": stamp},
                self.status(sent, "delivered"),
                "rubbish",
            ],
            messages=[
                {
                    "from": "34600000001",
                    "id": "wamid.U1",
                    "timestamp": stamp,
                    "type": "unsupported",
                    "errors": [
                        {
                            "code": 131051,
                            "title": "Message type unknown",
                            "error_data": {"details": "Not supported."},
                        }
                    ],
                },
                {
                    "from": "34600000001",
                    "id": "wamid.U2",
                    "timestamp": stamp,
                    "type": "unknown",
                    "errors": [{"code": 131051, "details": "Not supported."}],
                },
                {
                    "from": "34600000001",
                    "id": "wamid.U3",
                    "timestamp": stamp,
                    "type": "hologram",
                    "hologram": {"body": "baja"},
                },
                7,
            ],
        )
        self.assertTrue(self.receive(value))
        self.process_inbox()
        self.assertEqual(sent.state, "delivered")
        self.assertEqual(self.account.state, "connected")
        for wamid in ("wamid.U1", "wamid.U2", "wamid.U3"):
            self.assertIn("cannot be shown", self.inbound(wamid).shown_text)
            self.assertFalse(self.inbound(wamid).is_user_message)
        self.assertEqual(len(self.requests()), 1)
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")

    def test_a_stop_in_a_group_is_no_stop(self):
        for number, text in enumerate(("STOP", "baja", "sair")):
            self.receive_text(text, wamid=f"wamid.g{number}", group_id="Y2FwaV9")
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")
        self.assertIn("In a group", self.inbound("wamid.g0").shown_text)
        self.assertFalse(self.inbound("wamid.g0").is_user_message)

    def test_words_in_a_form_are_no_stop(self):
        self.receive_text(
            "",
            type="interactive",
            interactive={
                "type": "nfm_reply",
                "nfm_reply": {
                    "name": "flow",
                    "body": "STOP",
                    "response_json": '{"reason": "stop"}',
                },
            },
        )
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")

    def test_a_reaction_or_sticker_is_no_stop(self):
        self.receive_text(
            "", type="reaction", reaction={"message_id": "x", "emoji": "STOP"}
        )
        self.receive_text("", type="sticker", wamid="wamid.st", sticker={"id": "9"})
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")
        self.assertFalse(self.inbound().is_user_message)
        self.assertTrue(self.inbound("wamid.st").is_user_message)

    def test_the_kind_stands_where_there_are_no_words(self):
        """B3: an empty row says nothing."""
        for number, (message, words) in enumerate(
            (
                (
                    {
                        "type": "document",
                        "document": {
                            "mime_type": "application/pdf",
                            "filename": "transfer.pdf",
                        },
                    },
                    "PDF transfer.pdf",
                ),
                ({"type": "image", "image": {"caption": "slip"}}, "Image: slip"),
                ({"type": "audio", "audio": {"voice": True}}, "Voice message"),
                (
                    {"type": "location", "location": {"name": "Bakery"}},
                    "Location: Bakery",
                ),
                ({"type": "location", "location": {"latitude": 1.0}}, "Location"),
                (
                    {
                        "type": "contacts",
                        "contacts": [{"name": {"formatted_name": "Bea"}}],
                    },
                    "Contact: Bea",
                ),
            )
        ):
            self.receive_messages({"id": f"wamid.k{number}", **message})
            self.assertEqual(self.inbound(f"wamid.k{number}").shown_text, words)


@tagged("post_install", "-at_install")
class TestInboundRevisions(InboundCommon):
    def edit(self, text, target="wamid.in1", wamid="wamid.e1", **extra):
        self.receive_text(
            "",
            wamid=wamid,
            type="edit",
            edit={
                "original_message_id": target,
                "message": {"type": "text", "text": {"body": text}},
            },
            **extra,
        )

    def revoke(self, target="wamid.in1", wamid="wamid.r1", **extra):
        self.receive_text(
            "",
            wamid=wamid,
            type="revoke",
            revoke={"original_message_id": target},
            **extra,
        )

    def test_both_texts_can_be_read(self):
        self.receive_text("one")
        self.edit("two")
        self.assertRecordValues(self.inbound(), [{"body": "one", "edited_body": "two"}])
        self.assertEqual(self.inbound("wamid.e1").shown_text, "Edited: two")

    def test_an_edit_to_stop_is_a_stop(self):
        self.receive_text("hello")
        self.edit("STOP")
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "withdrawn")

    def test_somebody_else_changes_nothing(self):
        other = self._make_customer("Bea", "+34600000066")
        self.receive_text("hello")
        self.edit("STOP", sender="34600000066")
        self.revoke(sender="34600000066")
        self.assertRecordValues(
            self.inbound(), [{"edited_body": False, "is_withdrawn": False}]
        )
        for partner in self.partner, other:
            self.assertEqual(partner.wab_opt_in_state["billing"], "granted")

    def test_an_unknown_target_decides_nothing(self):
        self.edit("hello", target="wamid.never")
        self.revoke(target="wamid.never")
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")

    def test_an_edit_of_what_we_never_got_may_say_stop(self):
        self.receive_text("STOP")
        for text, target, expected in (
            ("START", "wamid.lost", "withdrawn"),
            ("please stop texting me", "wamid.lost", "withdrawn"),
        ):
            with self.subTest(text=text):
                self.edit(text, target=target, wamid=f"wamid.{text}")
                state = self.partner.wab_opt_in_state["billing"]
                self.assertEqual(state, expected)
        other = self._make_customer("Bea", "+34600000066")
        self.edit("STOP", target="wamid.lost", wamid="wamid.b", sender="34600000066")
        self.assertEqual(other.wab_opt_in_state["billing"], "withdrawn")

    def test_a_withdrawal_before_its_message(self):
        self.revoke()
        self.receive_text("STOP")
        self.assertTrue(self.inbound().is_withdrawn)
        self.assertIn("Withdrawn by the customer", self.inbound().shown_text)
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")

    def test_what_others_sent_before_a_message_is_not_about_it(self):
        self._make_customer("Bea", "+34600000066")
        self.revoke(sender="34600000066")
        self.edit("hello", sender="34600000066")
        self.receive_text("STOP")
        self.assertRecordValues(
            self.inbound(), [{"edited_body": False, "is_withdrawn": False}]
        )
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "withdrawn")

    def test_an_edit_before_its_message_is_what_is_judged(self):
        self.edit("thank you")
        self.receive_text("STOP")
        self.assertEqual(self.inbound().edited_body, "thank you")
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")


@tagged("post_install", "-at_install")
class TestInboundTold(InboundCommon):
    HTML = '<a href="http://evil.example">x</a><img src="http://evil.example/i.png"/>'

    def lines(self, record):
        return record.sudo().message_ids.filtered(
            lambda m: "WhatsApp from" in (m.body or "")
        )

    def test_words_stand_on_the_contact_and_somebody_is_asked_once(self):
        """B1: what a customer writes reached nobody."""
        self.partner.user_id = self.clerk
        for number in range(3):
            self.receive_text(f"Question {number}", wamid=f"wamid.q{number}")
        lines = self.lines(self.partner)
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines.author_id, self.partner)
        self.assertIn("Question 0", lines[-1].body)
        self.assertEqual(len(self.requests()), 1)
        self.assertEqual(self.requests().user_id, self.clerk)
        self.assertIn("Question 0", self.requests().summary)
        self.assertFalse(self.inbound("wamid.q0").is_handled)

    def test_words_stand_on_the_answered_document(self):
        self.accept_everything()
        invoice = self.make_invoice_with_pdf()
        sent = self.send(invoice)
        self.drain()
        context = {"from": "34910000001", "id": sent.wamid}
        self.receive_text("I think the amount is wrong", context=context)
        self.assertIn("amount is wrong", self.lines(invoice).body)
        self.assertFalse(self.lines(self.partner))
        self.assertEqual(len(self.requests()), 1)

    def test_without_a_salesperson_the_account_is_asked(self):
        self.receive_text("Question")
        self.assertEqual(self.requests().user_id, self.account._get_responsible())

    def test_a_salesperson_of_another_company_is_not_told(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.partner.user_id = self._make_user(
            "elsewhere", "account.group_account_invoice", other
        )
        self.receive_text("Question")
        self.assertNotEqual(self.requests().user_id, self.partner.user_id)

    def test_words_on_a_shared_contact_are_for_one_company(self):
        """Another company reads the contact, not what was written to us."""
        other = self.env["res.company"].create({"name": "Other"})
        self.partner.company_id = False
        self.receive_text("My secret plans")
        line, request = self.lines(self.partner), self.requests()
        for company, sees in (self.company, True), (other, False):
            user = self._make_user(
                f"reader{company.id}",
                "account.group_account_invoice,base.group_partner_manager"
                ",whatsapp_billing.group_agent",
                company,
            )
            for record in line, request:
                mine = record.with_user(user)
                self.assertEqual(bool(mine.search([("id", "=", record.id)])), sees)
                self.assertEqual(bool(mine._filtered_access("read")), sees)
        # Not for those who only send, but for whoever is asked.
        clerk = self._make_user(
            "sender", "account.group_account_invoice,base.group_partner_manager"
        )
        for record, sees in ((line, False), (request, False)):
            mine = record.with_user(clerk)
            self.assertEqual(bool(mine.search([("id", "=", record.id)])), sees)
        request.user_id = clerk
        self.assertTrue(request.with_user(clerk).search([("id", "=", request.id)]))
        # Two companies with the same customer each ask their own people.
        request.wab_company_id = other
        self.receive_text("Again", wamid="wamid.in2")
        self.assertEqual(len(self.requests()), 2)

    def test_text_is_text(self):
        """A customer's links and images were live in notes of staff."""
        self.partner.company_id = self.company
        self.receive_text(
            self.HTML,
            contacts=[{"profile": {"name": self.HTML}, "wa_id": "34600000001"}],
        )
        for html in (self.lines(self.partner).body, self.requests().note):
            self.assertNotIn("<a", html)
            self.assertNotIn("<img", html)
            self.assertIn("&lt;img", html)

    def test_an_unknown_number_asks_the_account_and_becomes_a_contact(self):
        """A stranger writes."""
        self.receive_text("Buenas", sender="34600999888")
        message = self.inbound()
        self.assertEqual(message.profile_name, "Ana")
        request = self.requests(self.account)
        self.assertIn("+34600999888", request.summary)
        self.receive_text("Hola?", sender="34600999888", wamid="wamid.in2")
        self.assertEqual(len(self.requests(self.account)), 1)
        self.receive_text("Hi", sender="34600999777", wamid="wamid.in3")
        self.assertEqual(len(self.requests(self.account)), 2)
        action = message.with_user(self.manager).action_create_contact()
        partner = (
            self.env["res.partner"]
            .with_user(
                self._make_user(
                    "maker",
                    "base.group_user,base.group_partner_manager,whatsapp_billing.group_agent",
                )
            )
            .with_context(**action["context"])
            .create({})
        )
        self.assertEqual(partner.name, "Ana")
        self.assertEqual(partner.wab_recipient, "+34600999888")
        self.assertEqual(message.partner_id, partner)
        self.assertEqual(self.inbound("wamid.in2").partner_id, partner)
        self.assertFalse(self.inbound("wamid.in3").partner_id)

    def test_a_firm_made_within_the_form_takes_over_nothing(self):
        """The form hands its context on to what is made from it."""
        self.receive_text("Buenas", sender="34600999888")
        message = self.inbound()
        context = message.with_user(self.manager).action_create_contact()["context"]
        handed = {k: v for k, v in context.items() if not k.startswith("default_")}
        partners = self.env["res.partner"].sudo().with_context(**handed)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        for values in (
            {"name": "Their firm", "is_company": True},
            {"name": "Another", "phone": "+34600999777"},
            {"name": "Theirs", "phone": "+34600999888", "company_id": other.id},
        ):
            with self.subTest(**values):
                partners.create(values)
                self.assertFalse(message.partner_id)
        person = partners.create({"name": "Ana", "phone": "+34600999888"})
        self.assertEqual(message.partner_id, person)

    def test_a_number_of_several_customers_is_nobodys(self):
        twin = self._make_customer("Twin", "600 00 00 01")
        self.receive_text("Question")
        self.assertFalse(self.inbound().partner_id)
        self.assertFalse(self.requests() | self.requests(twin))
        request = self.requests(self.account)
        for partner in self.partner, twin:
            self.assertIn(partner.name, request.note)

    def test_two_people_of_one_customer_are_that_customer(self):
        person = self._make_customer(
            "Person", "+34 600 00 00 01", parent_id=self.partner.id
        )
        self.assertEqual(person.wab_person_key, self.partner.wab_person_key)
        self.receive_text("Question")
        self.assertIn(self.inbound().partner_id, self.partner | person)

    def test_thanks_are_read_and_need_nobody(self):
        for number, text in enumerate(("gracias", "👍🏽", "Obrigado!", "thank you!")):
            self.receive_text(text, wamid=f"wamid.th{number}")
            self.assertTrue(self.inbound(f"wamid.th{number}").is_handled, text)
        self.assertFalse(self.requests())
        self.assertEqual(len(self.lines(self.partner)), 4)

    def test_a_chatter_that_fails_loses_nothing(self):
        """What another module does to a line must not lose what customers wrote."""
        lines = self.env.registry["mail.message"]
        original = lines.create

        def fail(records, vals_list):
            if any("poison" in str(row["body"]) for row in vals_list):
                raise ValueError("no")
            return original(records, vals_list)

        with (
            patch.object(lines, "create", fail),
            self.assertLogs("odoo.addons.whatsapp_billing", "ERROR"),
        ):
            self.receive_messages(
                {"id": "wamid.a", "type": "text", "text": {"body": "one"}},
                {"id": "wamid.b", "type": "text", "text": {"body": "poison"}},
                {"id": "wamid.c", "type": "text", "text": {"body": "three"}},
            )
        self.assertEqual(len(self.lines(self.partner)), 2)
        self.assertTrue(self.inbound("wamid.b"))
        self.assertFalse(self.messages.search([("tell", "!=", False)]))

    def test_telling_many_is_a_fixed_number_of_queries(self):
        def receive(count, tag):
            texts = [
                {"id": f"wamid.{tag}{n}", "type": "text", "text": {"body": f"Text {n}"}}
                for n in range(count)
            ]
            self.assertTrue(
                self.receive(
                    self.value(
                        messages=[
                            {
                                "from": "34600000001",
                                "timestamp": str(self.stamp()),
                                **row,
                            }
                            for row in texts
                        ]
                    )
                )
            )
            self.env.flush_all()
            cls = self.env.registry["whatsapp.billing.message"]
            with patch.object(cls, "_tell_people", lambda _self: None):
                self.process_inbox()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.messages._tell_people()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        receive(3, "warm")
        few, many = receive(5, "few"), receive(60, "many")
        self.assertLess(many - few, 60, "less than one more query a message")

    def test_two_workers_with_one_message(self):
        """A POST that is repeated while the first is worked on: kept once, no fault."""
        self.receive_text("Question")
        cls = self.env.registry["whatsapp.billing.message"]
        with patch.object(cls, "_drop_known", lambda _self, batch: batch):
            self.receive_text("Question", note="repeated")
        self.assertEqual(len(self.inbound()), 1)
        self.assertEqual(set(self.events.search([]).mapped("state")), {"done"})
        self.assertEqual(len(self.lines(self.partner)), 1)

    def test_handled_and_back(self):
        self.receive_text("Question")
        agent = self._make_user("agent", "base.group_user,whatsapp_billing.group_agent")
        with self.assertRaises(AccessError):
            self.inbound().with_user(self.clerk).action_mark_handled()
        message = self.inbound().with_user(agent)
        message.action_mark_handled()
        self.assertTrue(message.is_handled)
        message.action_mark_unhandled()
        self.assertFalse(message.is_handled)


@tagged("post_install", "-at_install")
class TestInboundFiles(InboundCommon):
    URL = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=900"

    def answer_file(self, content=PNG, mime="image/png", url=None, **more):
        digest = hashlib.sha256(content).hexdigest()
        self.transport.add(
            "GET",
            r"/v25\.0/900",
            self._answer(
                {
                    "url": url or self.URL,
                    "mime_type": mime,
                    "sha256": digest,
                    "file_size": str(len(content)),
                    "id": "900",
                    **more,
                }
            ),
        )
        self.transport.add(
            "GET", r"lookaside", Response(200, Headers({"Content-Type": mime}), content)
        )

    def receive_file(self, kind="image", wamid="wamid.f1", **media):
        media = {"id": "900", "mime_type": "image/png", **media}
        self.receive_text("", wamid=wamid, type=kind, **{kind: media})
        return self.inbound(wamid)

    def test_who_talks_with_customers_reads_what_came_without_words(self):
        """What a file is stands in what nobody may read: it is said all the same."""
        agent = self._make_user(
            "reader", "base.group_user,whatsapp_billing.group_agent"
        )
        self.receive_file("audio", voice=True)
        self.receive_file("document", wamid="wamid.f2", filename="slip.pdf")
        notice = self.receive_file("image", wamid="wamid.f3", caption="My slip")
        notice.write(
            {"inbound_type": "system", "content": {"new_sender": "+34600000099"}}
        )
        found = self.messages.search([("direction", "=", "in")], order="id").sudo(False)
        self.env.flush_all()
        self.env.invalidate_all()
        words = [
            row["shown_text"] for row in found.with_user(agent).read(["shown_text"])
        ]
        self.assertEqual(words[0], "Voice message")
        self.assertIn("slip.pdf", words[1])
        self.assertIn("+34600000099", words[2])

    def fetch(self):
        self.env.flush_all()
        self.messages._job_fetch_media()
        self.env.invalidate_all()

    def test_a_file_is_fetched_and_attached(self):
        """B3: Meta deletes it after seven days; the slip is the answer."""
        self.partner.company_id = self.company
        self.answer_file()
        message = self.receive_file(caption="Here is the slip")
        self.assertEqual(message.media_state, "pending")
        self.assertFalse(self.transport.calls, "nothing is called while receiving")
        self.fetch()
        self.assertEqual(message.media_state, "ready")
        self.assertEqual(message.attachment_id.raw, PNG)
        self.assertEqual(message.mail_message_id.attachment_ids, message.attachment_id)
        self.assertEqual(message.attachment_id.res_model, message._name)
        self.assertTrue(message.attachment_id.name.endswith(".png"))
        call = self.transport.calls[-1]
        self.assertTrue(call.headers["User-Agent"].startswith("curl"))
        self.assertIn("Bearer", call.headers["Authorization"])

    def test_pages_are_kept_as_text(self):
        page = b"<html><script>alert(1)</script></html>"
        self.answer_file(page, "text/html")
        message = self.receive_file(
            "document", filename="../../x\u202efdp.html", mime_type="text/html"
        )
        self.fetch()
        self.assertEqual(message.attachment_id.mimetype, "text/plain")
        self.assertNotIn("/", message.attachment_id.name)
        self.assertNotIn("\u202e", message.attachment_id.name)

    def test_our_token_is_shown_to_nobody_else(self):
        self.answer_file(url="https://lookaside.fbsbx.com.evil.example/x")
        message = self.receive_file()
        self.fetch()
        self.assertEqual(message.media_state, "pending")
        self.assertEqual(len(self.transport.calls), 1)

    def test_a_large_file_is_not_read(self):
        self.answer_file(file_size=200 * 1024 * 1024)
        message = self.receive_file()
        self.fetch()
        self.assertEqual(message.media_state, "gone")
        self.assertEqual(len(self.transport.calls), 1)
        self.assertIn("send it again", self.partner.message_ids[0].body)

    def test_what_fails_is_tried_again_then_said(self):
        self.transport.add("GET", r"/900", self._refusal(131000, status=500))
        message = self.receive_file()
        for attempt in range(1, 8):
            self.assertEqual(message.media_state, "pending", attempt)
            self.fetch()
            self.fetch()
            self.assertEqual(len(self.transport.calls), attempt, "not before its time")
            message.next_attempt_at = self.ago(minutes=1)
        self.assertEqual(message.media_state, "gone")
        self.assertFalse(message.is_handled)
        self.assertIn("could not be fetched", message.explanation)

    def test_one_that_is_gone_keeps_no_other_waiting(self):
        self.transport.add("GET", r"/901", self._refusal(100, status=400))
        self.answer_file()
        gone = self.receive_file(id="901", wamid="wamid.f0")
        message = self.receive_file()
        self.fetch()
        self.assertEqual(gone.media_state, "gone")
        self.assertEqual(message.media_state, "ready")

    def test_what_is_erased_is_gone(self):
        """Retention and a person's wish: words, names, files and requests."""
        for erase in (
            lambda: self.messages._erase_batch(self.company.id, self.ago(days=-1)),
            lambda: self.messages._erase_person(self.partner),
        ):
            self.transport = type(self.transport)()
            self.answer_file()
            wamid = f"wamid.z{self.messages.search_count([])}"
            message = self.receive_file(wamid=wamid, caption="My IBAN")
            self.fetch()
            file = message.attachment_id
            self.assertTrue(file.exists())
            erase()
            self.env.invalidate_all()
            self.assertFalse(file.exists())
            self.assertRecordValues(
                message,
                [{"body": False, "profile_name": False, "media_state": False}],
            )
            self.assertNotIn("IBAN", message.mail_message_id.body)
            self.assertEqual(message.shown_text, "(erased)")
        self.assertNotIn("IBAN", f"{self.requests().summary} {self.requests().note}")

    def test_what_is_not_what_was_announced_is_not_kept(self):
        self.answer_file(sha256=hashlib.sha256(b"other").hexdigest())
        message = self.receive_file()
        self.fetch()
        self.assertEqual(
            (message.media_state, message.attachment_id.id), ("pending", False)
        )


@tagged("post_install", "-at_install")
class TestInboundNumber(InboundCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.partner.with_company(cls.company)
        cls.decider = cls._make_user(
            "decider",
            "base.group_user,base.group_partner_manager,whatsapp_billing.group_user",
        )

    def test_who_may_not_edit_the_contact_decides_nothing(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        reader = self._make_user("reader", "base.group_user")
        editor = self._make_user("editor", "base.group_partner_manager")
        sender = self._make_user(
            "sender", "base.group_user,whatsapp_billing.group_user"
        )
        for user in reader, editor, sender:
            with self.assertRaises(AccessError):
                self.partner.with_user(user).action_wab_use_new_number()
        self.assertEqual(self.partner.wab_recipient, "+34600000001")

    def change(self, sender="34600000001", wamid="wamid.S1", **system):
        self.receive_messages(
            {
                "from": sender,
                "id": wamid,
                "type": "system",
                "system": {"body": "User Ana changed", **system},
            }
        )

    def test_nothing_goes_to_the_old_number_until_somebody_decides(self):
        """Operators hand numbers on; invoices went to a stranger."""
        shapes = (
            {"type": "user_changed_number", "wa_id": "34600000002"},
            {"type": "customer_changed_number", "wa_id": "34600000002"},
            {"new_wa_id": "34600000002"},
            {"type": "user_changed_number", "new_wa_id": "34600000002"},
        )
        for number, shape in enumerate(shapes):
            waiting = self.send(self.make_invoice_with_pdf())
            self.change(wamid=f"wamid.S{number}", **shape)
            self.assertEqual(self.partner.wab_new_number, "+34600000002", shape)
            self.assertRecordValues(
                waiting, [{"state": "canceled", "reason": "number_changed"}]
            )
            later = self.send(self.make_invoice_with_pdf())
            self.assertRecordValues(
                later, [{"state": "canceled", "reason": "number_changed"}]
            )
            self.assertIn("+34600000002", self.partner.sudo().activity_ids.note)
            self.partner.with_user(self.decider).action_wab_keep_old_number()
            self.assertFalse(self.partner.sudo().activity_ids)
            self.assertFalse(self.partner.wab_new_number)
        self.assertEqual(self.send(self.make_invoice_with_pdf()).state, "queued")

    def test_the_last_look_sees_it_too(self):
        waiting = self.send(self.make_invoice_with_pdf())
        self.partner.sudo().wab_new_number = "+34600000002"
        self.drain()
        self.assertRecordValues(
            waiting, [{"state": "canceled", "reason": "number_changed"}]
        )

    def test_the_new_number_is_used_when_somebody_says_so(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        self.partner.with_user(self.decider).action_wab_use_new_number()
        self.assertEqual(self.partner.wab_recipient, "+34600000002")
        self.assertEqual(
            self.send(self.make_invoice_with_pdf()).recipient, "+34600000002"
        )

    def test_a_number_that_a_person_types_is_the_decision(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        self.partner.phone = "+34 600 00 00 03"
        self.assertFalse(self.partner.wab_new_number)

    def assert_held(self, partner):
        self.assertEqual(partner.wab_new_number, "+34600000002")
        message = self.send(self.make_invoice_with_pdf(partner))
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "number_changed"}]
        )
        self.assertIn("+34600000002", partner.sudo().activity_ids.note)

    def make_late(self, number="+34600000001", **values):
        """Return a contact as somebody makes it who may edit contacts."""
        partners = self.env["res.partner"].with_user(self.decider)
        late = partners.create(
            {
                "name": "Late",
                "phone": number,
                "country_id": self.env.ref("base.es").id,
                "wab_enabled": True,
                **values,
            }
        )
        return self.env["res.partner"].browse(late.id)

    def test_a_new_contact_with_the_old_number_is_held(self):
        """It came from an old list: the number is somebody else's by now."""
        self.change(type="user_changed_number", wa_id="34600000002")
        self.partner.with_user(self.decider).action_wab_use_new_number()
        late = self.make_late("0034 600 000 001")
        self.assert_held(late)
        late.with_user(self.decider).action_wab_keep_old_number()
        self.assertEqual(self.send(self.make_invoice_with_pdf(late)).state, "queued")

    def test_the_old_number_typed_on_another_contact_is_held(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        late = self.make_late("+34600000044")
        self.assertFalse(late.wab_new_number)
        late.with_user(self.decider).wab_number = "+34 600 00 00 01"
        self.assert_held(late)

    def test_a_number_becomes_the_old_one_by_its_country(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        late = self.make_late("600000001", country_id=self.env.ref("base.pt").id)
        self.assertFalse(late.wab_new_number)
        late.with_user(self.decider).country_id = self.env.ref("base.es")
        self.assert_held(late)

    def test_contact_made_before_anybody_had_the_number(self):
        """The report came when no contact had it."""
        self.change("34600000077", type="user_changed_number", wa_id="34600000002")
        self.assert_held(self.make_late("+34600000077"))

    def test_another_spelling_of_the_old_number_decides_nothing(self):
        self.partner.phone = "+52 55 1234 5678"
        self.change("5215512345678", type="user_changed_number", wa_id="34600000002")
        self.assertTrue(self.partner.wab_new_number)
        self.partner.phone = "+52 1 55 1234 5678"
        self.assertTrue(self.partner.wab_new_number)

    def test_a_number_that_is_kept_is_kept_for_new_contacts(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        self.partner.with_user(self.decider).action_wab_keep_old_number()
        self.assertFalse(self.make_late().wab_new_number)
        self.change(wamid="wamid.S2", type="user_changed_number", wa_id="34600000002")
        self.assertTrue(self.make_late().wab_new_number, "reported again")

    def test_what_another_company_heard_holds_nobody_here(self):
        other = self.env["res.company"].create({"name": "Other"})
        report = self.messages.create(
            {
                "direction": "in",
                "state": "received",
                "company_id": other.id,
                "account_id": self._make_account(other, "W2", "P2").id,
                "recipient": "+34600000001",
                "content": {"new_sender": "+34600000002"},
            }
        )
        late = self.make_late()
        self.assertFalse(late.wab_new_number)
        self.assertTrue(late.with_company(other).wab_new_number)
        self.assertEqual(report.company_id, other)

    def test_new_contacts_ask_once_for_all(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        counts = []
        for number in (2, 12):
            partners = self.env["res.partner"].create(
                [
                    {"name": "Many", "phone": f"+346001{number:02d}{i:03d}"}
                    for i in range(number)
                ]
            )
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            partners._wab_hold_reported()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts, [1, 1])

    def test_merging_contacts_keeps_what_is_held(self):
        """By somebody who may merge: the field itself is the system's to write."""
        late = self.make_late()
        self.change(type="user_changed_number", wa_id="34600000002")
        self.assertTrue(late.wab_new_number)
        numberless = self.make_late(False, wab_enabled=False)
        merger = self.env["base.partner.merge.automatic.wizard"].with_user(self.decider)
        for source, target in ((late, self.partner), (self.partner, numberless)):
            merger._merge((source | target).ids, target.with_user(self.decider))
            self.env.invalidate_all()
            self.assertFalse(source.exists())
            self.assertEqual(target.wab_recipient, "+34600000001")
            self.assertEqual(target.wab_new_number, "+34600000002")

    def test_merging_takes_nothing_to_another_number(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        other = self.make_late("+34600000044")
        merger = self.env["base.partner.merge.automatic.wizard"].with_user(self.decider)
        merger._merge((self.partner | other).ids, other.with_user(self.decider))
        self.env.invalidate_all()
        self.assertEqual(other.wab_recipient, "+34600000044")
        self.assertFalse(other.wab_new_number)

    def test_a_stop_holds_for_the_new_number(self):
        self.receive_text("STOP")
        self.change(type="user_changed_number", wa_id="34600000002")
        late = self._make_customer("Late", "+34600000002", wab_enabled=False)
        self.assertEqual(late.wab_opt_in_state["billing"], "withdrawn")

    def test_without_a_stop_nothing_is_withdrawn(self):
        self.change(type="user_changed_number", wa_id="34600000002")
        late = self._make_customer("Late", "+34600000002", wab_enabled=False)
        self.assertEqual(late.wab_opt_in_state["billing"], "none")

    def test_what_another_company_hears_stops_nothing_here(self):
        """Whoever owns an app signs events about any number, for themselves only."""
        other = self.env["res.company"].create({"name": "Other"})
        self.partner.company_id = False
        waiting = self.send(self.make_invoice_with_pdf())
        forged = self.messages.create(
            {
                "direction": "in",
                "state": "received",
                "company_id": other.id,
                "account_id": self._make_account(other, "W2", "P2").id,
                "recipient": "+34600000001",
            }
        )
        forged._note_other_number("+34600000666")
        self.env.flush_all()
        self.assertEqual(waiting.state, "queued")
        self.assertFalse(self.partner.wab_new_number)
        self.assertEqual(
            self.partner.with_company(other).wab_new_number, "+34600000666"
        )
        self.assertEqual(self.send(self.make_invoice_with_pdf()).state, "queued")
        seen = self.env["mail.activity"].with_user(self.decider)
        self.assertFalse(seen.search([("res_id", "=", self.partner.id)]))
        self.accept_everything()
        self.drain()
        self.assertEqual(waiting.state, "sent")

    def test_an_identity_that_changed_is_only_noted(self):
        self.change(type="user_identity_changed", identity={"hash": "x"})
        self.assertTrue(self.inbound("wamid.S1"))
        # A word that nobody knows says nothing of the number either.
        for word in ("user_identity_changed", "user_moved"):
            self.change(wamid=f"wamid.{word}", type=word, wa_id="34600000009")
            self.assertTrue(self.inbound(f"wamid.{word}"))
        self.assertFalse(self.partner.wab_new_number)
        self.assertEqual(self.send(self.make_invoice_with_pdf()).state, "queued")
