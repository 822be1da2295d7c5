# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The claim asks nobody whose recipient plainly is the right one, and misses no other."""

from itertools import product
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.document.document_look import reminded_sql
from ..models.worker.budget import Budget
from ..models.worker.drain import Recording
from .test_claim_recipients import ACME, LEO, ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimLook(ClaimCommon):
    def claim(self):
        """Claim what is due; return (messages that may go, queries, messages asked)."""
        self.env.flush_all()
        asked = []
        model = type(self.messages)
        original = model._recipients_now

        def recipients_now(messages, rows):
            asked.extend(row["id"] for row in rows)
            return original(messages, rows)

        with self.phone._own_transaction() as env:
            drain = env["whatsapp.billing.message"]._make_drain(
                self.phone.with_env(env), Budget(5)
            )
            env.invalidate_all()
            # What is read once for many claims.
            drain.messages._lease_seconds()
            env["whatsapp.billing.consent"]._salt()
            env["account.move"]._wab_asked_sql([self.row(0, self.messages)])
            before = env.cr.sql_log_count
            with patch.object(model, "_recipients_now", recipients_now):
                rows, _dropped = drain._claim(32, Recording())
            count = env.cr.sql_log_count - before
        self.env.invalidate_all()
        return self.messages.browse(row.work.key for row in rows), count, asked

    def row(self, name, record, partner=None):
        """Return what the claim reads of a message about a record."""
        return {
            "id": name,
            "res_model": record._name,
            "res_id": record.id,
            "partner_id": partner and partner.id,
            "company_id": self.company.id,
            "document_state": "none",
            "attachment_id": None,
        }

    def customers(self, number, prefix):
        return [
            self._make_customer("Eva", f"+34601{prefix}{number:02d}{i:03d}")
            for i in range(number)
        ]

    def test_two_statements_for_all_that_did_not_change(self):
        """Whoever gets it: the company, ticked persons, chosen ones, the addressee."""
        address = self._make_customer(
            "Invoices", False, parent_id=self.acme.id, wab_enabled=False
        )
        own = self._make_customer("Eva", "+34600000018", parent_id=self.other.id)
        for number in (3, 9):
            moves = self.env["account.move"]
            for partner in self.customers(number, 1):
                moves |= self._make_invoice(partner)
            for partner in (self.acme, address, own):
                moves |= self._make_invoice(partner)
            moves[0].wab_recipient_ids = moves[0].partner_id
            messages = self.send(moves)
            messages.document_state = "none"
            ready, count, asked = self.claim()
            # One row a person at a time: Marta gets two documents.
            self.assertEqual(len(ready), number + 2)
            self.assertFalse(asked)
            self.assertEqual(count, 2)
            messages.write({"state": "canceled"})

    def test_only_what_looks_different_is_asked(self):
        """In as many queries for two as for nine, whatever else is claimed."""
        counts = []
        for number in (2, 9):
            partners = self.customers(number, 2)
            fine = self.send(
                self.env["account.move"].union(
                    *(self._make_invoice(partner) for partner in partners)
                )
            )
            doubtful = self.send(
                self.env["account.move"].union(
                    *(
                        self._make_invoice(partner)
                        for partner in self.customers(number, 3)
                    )
                )
            )
            (fine | doubtful).document_state = "none"
            for message in doubtful:
                # Somebody was chosen who is not there any more: it stays theirs.
                gone = self.env["res.partner"].create({"name": "Gone"})
                move = self.env["account.move"].browse(message.res_id)
                move.wab_recipient_ids = gone
                gone.active = False
            ready, count, asked = self.claim()
            self.assertEqual(ready, fine | doubtful)
            self.assertEqual(sorted(asked), sorted(doubtful.ids))
            counts.append(count)
            (fine | doubtful).write({"state": "canceled"})
        self.assertEqual(counts[0], counts[1])

    def test_reminders_that_did_not_change_are_not_asked(self):
        for by_hand in (False, True):
            counts = []
            for number in (2, 9):
                partners = self.customers(number, 4 + by_hand)
                moves = self.env["account.move"].union(
                    *(self.make_due(partner=partner) for partner in partners),
                    *(self.make_due(partner=partner) for partner in partners[:1]),
                )
                if by_hand:
                    moves.with_user(self.clerk).wab_remind()
                else:
                    self.run_plan()
                ready, count, asked = self.claim()
                self.assertEqual(len(ready), number)
                self.assertFalse(asked)
                counts.append(count)
                ready.write({"state": "sent"})
            self.assertEqual(counts[0], counts[1])

    def test_receipts_that_did_not_change_are_not_asked(self):
        payments = self.env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": partner.id,
                    "amount": 40.0,
                }
                for partner in (self.acme, self.other)
            ]
        )
        payments.action_post()
        results = payments.with_user(self.clerk).wab_send_receipt()
        messages = self.messages.browse([r["message_id"] for r in results])
        messages.document_state = "none"
        ready, count, asked = self.claim()
        self.assertEqual(ready, messages)
        self.assertFalse(asked)
        self.assertEqual(count, 2)

    # --- a drain that goes on ---------------------------------------------------------

    def messages_in_every_state(self):
        """Return messages about documents that have become this and that since."""
        partners = self.customers(6, 7)
        fine, draft, other, switched, moved, filed = (
            self.make_invoice_with_pdf(partner) for partner in partners
        )
        messages = self.send(fine | draft | other | switched | moved | filed)
        (messages - messages[-1]).document_state = "none"
        draft.button_draft()
        other.ref = "another reference"
        other.wab_recipient_ids = self.other
        partners[3].wab_enabled = False
        moved.wab_send_override = "off"
        partners[4].company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.flush_all()
        return messages

    def test_claims_of_a_kind_that_was_met_are_one_statement(self):
        """The looks in it are what the documents' models would say."""
        self.messages_in_every_state()
        with self.phone._own_transaction() as env:
            drain = env["whatsapp.billing.message"]._make_drain(
                self.phone.with_env(env), Budget(5)
            )
            for has_met in (False, True):
                before = env.cr.sql_log_count
                rows = drain.outbox._claim_rows(drain, 32, Recording())
                self.assertEqual(len(rows), 6)
                if has_met:
                    self.assertEqual(env.cr.sql_log_count - before, 1)
                self.assertEqual(all("look" in row for row in rows), has_met)
                asked = env["account.move"]._wab_ask_again(rows)
                if has_met:
                    self.assertEqual({row["id"]: row["look"] for row in rows}, asked)
                self.assertTrue(asked[rows[-1]["id"]].file)
                env.cr.execute(
                    "UPDATE whatsapp_billing_message SET state = 'queued'"
                    " WHERE id = ANY(%s)",
                    [[row["id"] for row in rows]],
                )
            env.cr.execute("SELECT count(*) FROM pg_prepared_statements")
            self.assertTrue(env.cr.fetchone()[0])
            drain.close()
            env.cr.execute("SELECT count(*) FROM pg_prepared_statements")
            self.assertFalse(env.cr.fetchone()[0])

    def test_document_that_changes_while_its_number_is_drained_is_not_told(self):
        """A later claim of a drain looks as closely as the first one."""
        self.set_threads(2)
        moves = self.env["account.move"].union(
            *(self._make_invoice(partner) for partner in self.customers(5, 8))
        )
        messages = self.send(moves)
        messages.document_state = "none"
        self.env.flush_all()
        model, original = type(self.messages), type(self.messages)._record_outcomes

        def change(records, drain, outcomes, recording):
            records.env.cr.execute(
                "UPDATE account_move SET state = 'cancel' WHERE id = %s",
                [moves[4].id],
            )
            return original(records, drain, outcomes, recording)

        self.patch(model, "_record_outcomes", change)
        self.drain()
        self.env.invalidate_all()
        self.assertEqual(
            messages.mapped("state"), ["sent", "sent", "sent", "sent", "canceled"]
        )
        self.assertEqual(messages[4].reason, "cancelled_document")

    @mute_logger("odoo.sql_db", "odoo.addons.whatsapp_billing.models.worker.drain")
    def test_document_whose_look_fails_harms_no_other(self):
        """Neither the claims of its drain that look at once, nor what they record."""
        self.set_threads(2)
        moves = self.env["account.move"].union(
            *(self._make_invoice(partner) for partner in self.customers(6, 9))
        )
        messages = self.send(moves)
        messages.document_state = "none"
        model = type(self.env["account.move"])
        original = model._wab_facts_sql

        def fail(records):
            facts = original(records)
            return facts | {
                "payment_state": SQL("(1 / (d.id - %s))::text", moves[3].id)
            }

        self.patch(model, "_wab_facts_sql", fail)
        with mute_logger("odoo.addons.whatsapp_billing.models.claim.drain_claim"):
            self.drain_all()
        self.env.invalidate_all()
        self.assertEqual(messages[3].state, "failed")
        self.assertEqual(set((messages - messages[3]).mapped("state")), {"sent"})
        self.assertEqual(len(self.sent_calls()), 5)

    def set_threads(self, number):
        self.env["ir.config_parameter"].sudo().set_param(
            "whatsapp_billing.threads", number
        )

    def test_whoever_answers_in_another_way_is_asked(self):
        """Another module may say who gets a document: the query stands for ours only."""
        message = self.send(self._make_invoice(self.other))
        message.document_state = "none"
        for owner, name in (
            (self.env["account.move"], "_wab_get_recipients"),
            (self.env["res.partner"], "_wab_default_recipients"),
        ):
            found = getattr(type(owner), name)
            with patch.object(
                type(owner), name, lambda *args, f=found, **kw: f(*args, **kw)
            ):
                _ready, _count, asked = self.claim()
            self.assertEqual(asked, message.ids, name)
            message.write({"state": "queued"})

    # --- the query and the one function ------------------------------------------------

    def draw(self):
        """Return invoices of customers in every way in which these can be arranged."""
        partners, moves = self.env["res.partner"], []
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        kinds = product(
            ("whole", "plain", "ticked", "numbered", "masked", "switched"),
            (True, False),
            ("none", "ticked", "archived", "foreign"),
            ("none", "whole", "archived", "foreign"),
        )
        for number, (child, is_on, other, chosen) in enumerate(kinds):
            whole = partners.create(
                {
                    "name": f"Whole {number}",
                    "is_company": True,
                    "phone": f"+34603{number:06d}" if is_on else False,
                    "country_id": self.env.ref("base.es").id,
                    "wab_enabled": is_on,
                    "wab_is_default_recipient": number % 7 == 0,
                }
            )
            addressee, person = partners.create(
                [
                    {
                        "name": "Addressee",
                        "parent_id": whole.id,
                        "phone": {"numbered": LEO, "masked": "nobody knows"}.get(child),
                        "wab_enabled": child == "switched",
                        "wab_is_default_recipient": child == "ticked",
                    },
                    {
                        "name": "Person",
                        "parent_id": whole.id,
                        "phone": ACME,
                        "wab_is_default_recipient": other != "none",
                        "active": other != "archived",
                        "company_id": elsewhere.id if other == "foreign" else False,
                    },
                ]
            )
            move = {
                "move_type": "out_invoice",
                "partner_id": whole.id if child == "whole" else addressee.id,
            }
            chosen_one = {
                "none": partners,
                "whole": whole,
                "archived": partners.create({"name": "Gone", "active": False}),
                "foreign": partners.create(
                    {"name": "Foreign", "company_id": elsewhere.id}
                ),
            }[chosen]
            moves.append((move, chosen_one, whole | addressee | person | chosen_one))
        created = self.env["account.move"].sudo().create([m for m, *_rest in moves])
        self.env.flush_all()
        drawn = []
        for move, (_values, chosen_one, people) in zip(created, moves, strict=True):
            drawn.append((move, people))
            # Nobody may choose all of these; they were chosen before they changed.
            self.env.cr.execute(
                "INSERT INTO account_move_wab_recipient_rel (move_id, partner_id)"
                " SELECT %s, unnest(%s::int[])",
                [move.id, chosen_one.ids],
            )
        self.env.invalidate_all()
        return drawn

    def assert_sound(self, rows, plain, now):
        """Assert that nobody plainly gets what they do not get, and many plainly do."""
        gets_it = {row["id"] for row in rows if row["partner_id"] in now[row["id"]].ids}
        self.assertFalse(plain - gets_it)
        self.assertGreater(len(plain), len(gets_it) / 4)
        self.assertLess(len(gets_it), len(rows))

    def test_the_query_knows_nobody_that_the_functions_do_not(self):
        drawn = self.draw()
        rows = [
            self.row(0, move, person) for move, people in drawn for person in people
        ]
        for number, row in enumerate(rows):
            row["id"] = number
        moves = self.env["account.move"].union(*(move for move, _people in drawn))
        moves = moves.sudo().with_company(self.company)
        self.assertTrue(moves._wab_is_plain())
        found = moves._wab_ask_again(rows)
        says = moves._wab_fingerprints()
        self.assertEqual(
            {row["id"]: found[row["id"]].fingerprint for row in rows},
            {row["id"]: says[row["res_id"]] for row in rows},
        )
        now = moves._wab_read_recipients_now()
        self.assert_sound(
            rows,
            {name for name, look in found.items() if look.is_theirs},
            {row["id"]: now[row["res_id"]] for row in rows},
        )
        reminded = self.env.execute_query(
            SQL(
                """
                SELECT a.message_id FROM %s
                  JOIN account_move d ON d.id = a.res_id
                  JOIN res_company k ON k.id = d.company_id
                  JOIN res_partner p ON p.id = d.commercial_partner_id
                  JOIN res_partner r ON r.id = a.partner_id
                 WHERE %s
                """,
                moves._wab_asked_sql(rows),
                reminded_sql(moves),
            )
        )
        self.assert_sound(
            rows,
            {name for (name,) in reminded},
            self.messages.sudo()._reminded_now(self.company.id, rows),
        )
