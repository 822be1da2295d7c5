# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Companies share a contact, not what is said between it and one of them."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .collection_common import CollectionCommon
from .rights_common import RightsCommon

WORDS = "xyzzy for you only"


class LinesCommon(CollectionCommon, RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("internal", "sender", "clerk", "agent", "manager"):
            for user in (cls.users[name], cls.users[f"other_{name}"]):
                user.sudo().group_ids |= cls.env.ref("base.group_partner_manager")
        cls.theirs = [name for name in cls.users if name.startswith("other_")]

    def lines(self, word="xyzzy", partner=None):
        found = (
            self.env["mail.message"]
            .sudo()
            .search(
                [
                    ("model", "=", "res.partner"),
                    ("res_id", "=", (partner or self.partner).id),
                ]
            )
        )
        return found.filtered(lambda line: word in str(line.body))

    def request(self):
        return (
            self.env["mail.activity"]
            .sudo()
            .search(
                [
                    ("res_model", "=", "res.partner"),
                    ("res_id", "=", self.partner.id),
                    ("wab_company_id", "=", self.company.id),
                ]
            )
        )

    def assert_theirs_read_none(self, lines):
        """No user of the other company finds or reads any of these."""
        self.assertTrue(lines)
        self.env.flush_all()
        self.env.invalidate_all()
        for name in self.theirs:
            mine = self._as(lines, name)
            with self.subTest(user=name):
                self.assertFalse(mine.search([("id", "in", lines.ids)]))
                self.assertFalse(mine._filtered_access("read"))

    def assert_reads(self, name, lines):
        self.assertEqual(self._as(lines, name)._filtered_access("read"), lines)


@tagged("post_install", "-at_install")
class TestLinesOfSharedContacts(LinesCommon):
    def test_a_request_that_is_done_is_quoted_for_its_company(self):
        """The line of a done request quotes what the customer wrote."""
        self.receive_text(WORDS)
        request = self.request()
        request.user_id = self.users["agent"]
        before = self.lines()
        self._as(request, "agent").action_feedback(feedback="called")
        done = self.lines() - before
        self.assertIn("called", done.body)
        self.assert_theirs_read_none(done)
        self.assert_reads("agent", done)

    def test_the_contact_tells_nothing_of_a_request_that_one_may_not_read(self):
        """Fields of the next activity are read as superuser by Odoo, ours are not."""
        self.receive_text(WORDS)
        told = ["activity_summary", "activity_type_id", "activity_type_icon"]
        for name in (*self.theirs, "internal", "sender", "clerk"):
            if not name.endswith("portal"):
                with self.subTest(user=name):
                    self.env.invalidate_all()
                    [row] = self._as(self.partner, name).read(told)
                    self.assertFalse(any(row[field] for field in told))
        self.env.invalidate_all()
        [row] = self._as(self.partner, "agent").read(told)
        self.assertIn("xyzzy", row["activity_summary"])
        self.assertTrue(row["activity_type_id"])

    def test_the_account_tells_nothing_of_what_a_stranger_wrote(self):
        self.receive_text(WORDS, sender="34600000777")
        for name, may_read in (("sender", False), ("clerk", False), ("manager", True)):
            with self.subTest(user=name):
                self.env.invalidate_all()
                account = self._as(self.account, name)
                summary = account.read(["activity_summary"])[0]["activity_summary"]
                self.assertEqual("xyzzy" in (summary or ""), may_read)
                found = account.search([("activity_ids.note", "ilike", "xyzzy")])
                self.assertEqual(bool(found), may_read)

    def test_no_search_of_the_contact_guesses_words_letter_by_letter(self):
        """Odoo asks no rules on the way through `message_ids` and `activity_ids`."""
        self.receive_text(WORDS)
        self._as(self.partner, "manager").message_post(body="quux, by a colleague")
        paths = (
            "activity_summary",
            "activity_ids.note",
            "activity_ids.summary",
            "message_ids.body",
            "user_ids.partner_id.message_ids.body",
            "child_ids.parent_id.message_ids.body",
        )
        self._make_customer("A child", "+34600000012", parent_id=self.partner.id)
        self.env["res.users"].create({"login": "ana", "partner_id": self.partner.id})
        for name in (*self.theirs, "internal", "sender", "clerk"):
            if name.endswith("portal"):
                continue
            contacts = self._as(self.env["res.partner"], name)
            for path in paths:
                with self.subTest(user=name, path=path):
                    self.assertFalse(contacts.search([(path, "ilike", "xyzzy")]))
            for field in ("message_ids", "activity_ids"):
                with self.subTest(user=name, field=field):
                    name_of_words = "body" if field == "message_ids" else "note"
                    words = [(name_of_words, "ilike", "xyzzy")]
                    self.assertFalse(contacts.search([(field, "any", words)]))
            # What is no company's own is found as ever.
            self.assertIn(
                self.partner, contacts.search([("message_ids.body", "ilike", "quux")])
            )
        agents = self._as(self.env["res.partner"], "agent")
        for path in paths[:4]:
            with self.subTest(path=path):
                self.assertIn(self.partner, agents.search([(path, "ilike", "xyzzy")]))

    def test_no_search_finds_the_state_of_a_request_that_one_may_not_read(self):
        """Odoo looks that up in the table of all activities."""
        self.receive_text(WORDS)
        plain = self._make_customer("Somebody", "+34600000014")
        plain.activity_schedule(
            "mail.mail_activity_data_todo", date_deadline=self.day(9)
        )
        state = self._as(self.partner, "agent").activity_state
        self.assertEqual((state, plain.activity_state), ("today", "planned"))
        both = self.partner | plain

        def find(name, operator, value):
            contacts = self._as(both, name)
            return contacts.search(
                [("id", "in", both.ids), ("activity_state", operator, value)]
            ).sudo(False)

        for name in (*self.theirs, "internal", "sender", "clerk"):
            if name.endswith("portal"):
                continue
            with self.subTest(user=name):
                self.assertFalse(find(name, "=", "today"))
                self.assertEqual(find(name, "=", False), self.partner)
                self.assertEqual(find(name, "!=", False), plain)
                bar = {"field": "activity_state", "colors": {"today": "warning"}}
                contacts = self._as(both, name)
                counts = contacts.read_progress_bar([("id", "in", both.ids)], "id", bar)
                self.assertFalse(any(row["today"] for row in counts.values()))
        self.assertEqual(find("agent", "=", "today"), self.partner)
        self.assertEqual(find("agent", "not in", ["today", "overdue"]), plain)
        self.assertFalse(find("agent", "=", False))

    def test_done_and_next_tells_no_more(self):
        self.receive_text(WORDS)
        before = self.lines()
        self._as(self.request(), "manager").action_feedback_schedule_next()
        self.assert_theirs_read_none(self.lines() - before)

    def test_requests_of_two_companies_done_at_once_are_each_their_own(self):
        self.receive_text(WORDS)
        ours = self.request()
        other = ours.copy({"note": "<p>plugh</p>", "summary": "Two"})
        other.wab_company_id = self.other_company
        plain = ours.copy({"note": "<p>plain</p>", "summary": "Three"})
        plain.wab_company_id = False
        before = self.lines()
        self._as(ours | other | plain, "administrator").action_done()
        self.assertEqual((self.lines() - before).wab_company_id, self.company)
        self.assertEqual(self.lines("plugh").wab_company_id, self.other_company)
        self.assertFalse(self.lines("plain").wab_company_id)

    def test_a_follower_who_may_not_read_it_is_not_sent_it(self):
        subtype = self.env.ref("mail.mt_activities")
        followers = self.users["other_agent"] | self.users["agent"]
        self.partner.sudo().message_subscribe(
            followers.partner_id.ids, subtype_ids=subtype.ids
        )
        self.receive_text(WORDS)
        before = self.lines()
        self._as(self.request(), "manager").action_feedback()
        told = (self.lines() - before).notification_ids.res_partner_id
        self.assertEqual(told, self.users["agent"].partner_id)

    def test_a_changed_number_is_decided_within_its_company(self):
        """A sibling: the note of the request holds the old and the new number."""
        message = {
            "from": "34600000001",
            "id": "S1",
            "timestamp": str(self.stamp()),
            "type": "system",
            "system": {
                "body": "x",
                "wa_id": "34600000002",
                "type": "user_changed_number",
            },
        }
        self.receive(self.value(messages=[message]))
        self.process_inbox()
        self.assert_theirs_read_none(self.lines("34600000002"))
        before = self.lines("has changed to")
        self._as(self.partner, "clerk").action_wab_keep_old_number()
        self.assert_theirs_read_none(self.lines("has changed to") - before)

    def test_what_we_send_to_a_contact_is_ours(self):
        """The line of a message quotes all of it."""
        template = self._make_template(
            self.account,
            "customer_message",
            header_type="none",
            body="Xyzzy {{1}} {{2}} {{3}} is what we say",
            variable_ids=[
                Command.create(
                    {
                        "component": "body",
                        "position": n,
                        "name": "name",
                        "field_path": "name",
                        "format": "text",
                        "sample": "x",
                    }
                )
                for n in (1, 2, 3)
            ],
            category="utility",
        )
        self._as(self.partner, "clerk").wab_send(template.id)
        line = self.lines("is what we say")
        self.assert_theirs_read_none(line)
        for name in ("clerk", "agent", "sender"):
            self.assert_reads(name, line)

    def test_what_we_answer_on_a_contact_is_ours(self):
        """A sibling: two companies write to one contact at the same moment."""
        rows = [
            self.row(self.partner, self.company, "plugh of ours"),
            self.row(self.partner, self.other_company, "plugh of theirs"),
        ]
        self.messages._create_lines(rows, [0, 0])
        self.assertEqual(self.lines("plugh of ours").wab_company_id, self.company)
        self.assertEqual(
            self.lines("plugh of theirs").wab_company_id, self.other_company
        )
        self.assertEqual(rows[0]["mail_message_id"], self.lines("plugh of ours").id)

    def row(self, record, company, body):
        """Return what the chatter asks of a message's row."""
        return {
            "state": "queued",
            "company_id": company.id,
            "res_model": record._name,
            "res_id": record.id,
            "recipient": self.partner.wab_recipient,
            "body": body,
        }

    def test_a_line_on_a_document_follows_the_document(self):
        row = self.row(self.invoice, self.company, "plugh")
        self.messages._create_lines([row], [0])
        line = self.env["mail.message"].sudo().browse(row["mail_message_id"])
        self.assertIn("plugh", line.body)
        self.assertFalse(line.wab_company_id)


@tagged("post_install", "-at_install")
class TestLinesAreTheSystems(LinesCommon):
    def setUp(self):
        super().setUp()
        self.receive_text(WORDS)
        self.line = self.lines()
        self.asked = self.request()
        self.assertEqual(len(self.line), 1)
        self.assertEqual(len(self.asked), 1)

    def assert_refused(self, do, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint():
            do()
            self.env.flush_all()

    def test_who_may_not_read_neither_unlocks_nor_edits_nor_deletes(self):
        """Users of the other company, and of ours without our group for talk."""
        values = {
            "mail.message": ({"wab_company_id": False}, {"body": "forged"}),
            "mail.activity": (
                {"wab_company_id": False},
                {"note": "forged"},
                {"user_id": self.users["other_agent"].id},
                {"active": False},
            ),
        }
        for name in ("internal", "sender", *self.theirs):
            for record in (self.line, self.asked):
                mine = self._as(record, name)
                with self.subTest(user=name, model=record._name):
                    if mine.browse().has_access("read"):  # else no search at all
                        self.assertFalse(mine.search([("id", "=", record.id)]))
                    self.assertFalse(mine._filtered_access("read"))
                for changed in values[record._name]:
                    with self.subTest(user=name, values=changed):
                        self.assert_refused(lambda m=mine, v=changed: m.write(v))
                with self.subTest(user=name, model=record._name):
                    self.assert_refused(mine.unlink)
            self.assert_refused(
                lambda n=name: self._as(self.asked, n).action_feedback()
            )
            commands = [Command.delete(self.asked.id)]
            self.assert_refused(
                lambda n=name, c=commands: self._as(self.partner, n).write(
                    {"activity_ids": c}
                )
            )
        self.assertIn("xyzzy", self.line.body)
        self.assertIn("xyzzy", self.asked.note)
        self.assertEqual(self.line.wab_company_id, self.company)

    def test_nobody_says_whose_a_line_is(self):
        for name in ("agent", "manager", "administrator"):
            for record in (self.line, self.asked):
                for company in (False, self.other_company.id):
                    mine = self._as(record, name)
                    with self.subTest(user=name, model=record._name):
                        self.assert_refused(
                            lambda m=mine, c=company: m.write({"wab_company_id": c})
                        )

    def test_nobody_forges_a_line_of_a_company(self):
        company = self.company.id
        line = {"model": "res.partner", "res_id": self.partner.id, "body": "forged"}
        asked = {
            "res_model_id": self.env["ir.model"]._get_id("res.partner"),
            "res_id": self.partner.id,
            "summary": "forged",
        }
        for name in ("other_internal", "other_agent", "manager"):
            partner = self._as(self.partner, name)
            env = partner.env
            for model, values in (("mail.message", line), ("mail.activity", asked)):
                self.assert_refused(
                    lambda e=env, m=model, v=values: e[m].create(
                        {**v, "wab_company_id": company}
                    )
                )
                # Odoo makes some as the system, within the context of the call.
                for rows in (env[model], env[model].sudo()):
                    made = rows.with_context(
                        default_wab_company_id=company, wab_line_company=company
                    ).create(dict(values))
                    self.assertFalse(made.sudo().wab_company_id)
            for post in (partner.message_post, partner.message_notify):
                self.assert_refused(
                    lambda p=post: p(
                        body="forged",
                        partner_ids=self.users["agent"].partner_id.ids,
                        wab_company_id=company,
                    ),
                    # Odoo takes no names that it does not know.
                    ValueError,
                )
            self.assert_refused(
                lambda p=partner: p.activity_schedule(
                    "mail.mail_activity_data_todo", wab_company_id=company
                )
            )
            context = {"default_wab_company_id": company, "wab_line_company": company}
            said = partner.with_context(**context).message_post(body="said")
            self.assertFalse(said.sudo().wab_company_id)

    def test_an_agent_hands_over_and_finishes(self):
        mine = self._as(self.asked, "agent")
        mine.write({"user_id": self.users["manager"].id})
        self.assertEqual(self.asked.user_id, self.users["manager"])
        self._as(self.asked, "manager").action_feedback(feedback="called")
        self.assertFalse(self.asked.active)

    def test_who_is_asked_without_being_an_agent_finishes(self):
        self.asked.user_id = self.users["clerk"]
        self._as(self.asked, "clerk").action_feedback(feedback="called")
        self.assertFalse(self.asked.active)

    def test_an_agent_corrects_and_deletes(self):
        self._as(self.line, "agent").write({"body": "corrected"})
        self._as(self.asked, "agent").unlink()
        self._as(self.line, "agent").unlink()
        self.assertFalse(self.line.exists() or self.asked.exists())
