# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What is left to say of a reminder that was dropped because a part of it changed."""

import logging
from collections import defaultdict
from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ..common.savepoint import savepoint_or_log

_logger = logging.getLogger(__name__)


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - WHAT IS LEFT OF THEM === #

    def _remind_of_the_rest(self):
        """Say anew what is left of reminders that were dropped for a part of them.

        Somebody paid one of several invoices, or a part of one: the rest is reminded of
        all the same. Once: what takes a dropped one's place is not replaced again, the
        next run looks at it. Called with sudo, in the transaction that drops them.
        """
        self.env.flush_all()
        self.invalidate_recordset()
        dropped = self.filtered(
            lambda m: m.state == "canceled" and not m.attempts and not m.replaces_id
        )
        dropped._take_steps_back()
        by_plan = dropped.grouped(lambda m: (m.company_id, m.collection_plan_id))
        for (company, plan), messages in by_plan.items():
            # What one invoice raises stays with these reminders, which the next run
            # decides on; the other messages of the claim go on.
            text = "Reminders %s were not made again"
            with savepoint_or_log(self.env, _logger, text, messages.ids):
                if plan:
                    messages._run_plan_again(company, plan)
                else:
                    messages._remind_by_hand_again()

    def _run_plan_again(self, company, plan):
        """Have the plan decide again about customers who have not heard from us."""
        by_debtor = self.grouped(lambda m: m._get_reminded())
        by_day = defaultdict(dict)
        for debtor, messages in by_debtor.items():
            day = messages._free_day(company, debtor)
            if day:
                by_day[day][debtor.id] = messages[0]
        today = plan._get_moment(company).day
        for day, old in by_day.items():
            # A reminder of a run for a later day is decided again for that same day.
            later = day if day > today + timedelta(days=1) else None
            plan._run_debtors(company, plan._get_moment(company, later), list(old))
            self.env.flush_all()
            for message in self.search(
                [("collection_plan_id", "=", plan.id), ("id", ">", max(self.ids))]
            ):
                message.replaces_id = old.get(message._get_reminded().id)

    def _get_reminded(self):
        """Return the customer whom a reminder was for.

        Some of its invoices may be another customer's by now.
        """
        self.ensure_one()
        moves = self.collection_item_ids.move_line_id.move_id
        theirs = moves.filtered(self._is_for_customer_of)
        return (theirs or moves).commercial_partner_id[:1]

    def _free_day(self, company, debtor):
        """Give back the day that these took from a customer; return it.

        None where another reminder has gone to them, or goes, since.
        """
        rows = self.env.execute_query(
            SQL(
                """
                DELETE FROM whatsapp_billing_collection_followup
                 WHERE id = (SELECT id FROM whatsapp_billing_collection_followup
                              WHERE company_id = %(company)s AND debtor_id = %(debtor)s
                                AND channel = 'whatsapp'
                                AND day >= %(since)s
                           ORDER BY day DESC LIMIT 1)
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_message g
                         JOIN whatsapp_billing_collection_item i ON i.message_id = g.id
                         JOIN account_move_line l ON l.id = i.move_line_id
                         JOIN account_move m ON m.id = l.move_id
                        WHERE m.commercial_partner_id = %(debtor)s
                          AND g.company_id = %(company)s AND g.state != 'canceled'
                          AND g.queued_at >= %(queued)s)
             RETURNING day
                """,
                company=company.id,
                debtor=debtor.id,
                since=min(self.mapped("queued_at")).date() - timedelta(days=1),
                queued=min(self.mapped("queued_at")),
            )
        )
        return rows[0][0] if rows else None

    def _remind_by_hand_again(self):
        """Remind again, by hand, of the invoices of these reminders that are still open."""
        cases = self.env["whatsapp.billing.collection.case"]
        rest, others = cases._find_rest(self.ids)
        # An invoice that became another customer's is not reminded of again by itself:
        # its person is asked.
        self.browse(others)._leave_to_person(others)
        (self - self.browse(rest | others))._ask_about_recipients()
        for message_id, move_ids in rest.items():
            message = self.browse(message_id)
            author = message.user_id or self.env.user
            # sudo: account.move - whoever reminded might; the drain says it again
            moves_sudo = (
                self.env["account.move"]
                .with_user(author)
                .with_company(message.company_id)
                .with_context(lang=author.lang)
                .sudo()
                .browse(move_ids)
            )
            heirs = message._find_heirs_of_reminder(moves_sudo)
            results = []
            for partners, mine in moves_sudo.grouped(
                lambda m, h=heirs: h[m.id]
            ).items():
                if partners:
                    results += message._remind_instead(mine, partners)
            is_told = any(result["state"] in ("queued", "held") for result in results)
            told = self.env["res.partner"].union(*heirs.values())
            if results and not is_told and message.partner_id not in told:
                message._ask_about_recipients()

    def _leave_to_person(self, move_ids):
        """Ask whoever reminded of invoices that have become another customer's since.

        The trace, which each of these invoices shows, says which ones they are.

        :param move_ids: {message id: ids of such invoices}
        """
        moves = self.env["account.move"]
        for message in self:
            left = moves.browse(move_ids[message.id])
            names = ", ".join(move._wab_document_name() for move in left)
            message.trace_data = [
                *(message.trace_data or []),
                ("same_customer", names, False),
            ]
        self._ask_on_documents(
            self.env._("WhatsApp message not sent: the recipient changed"),
            lambda document, names: self.env._(
                "%(document)s became another customer's after a WhatsApp reminder to"
                " %(names)s was queued, so it is not in it. Remind whoever is to pay it.",
                document=document,
                names=names or self.env._("a contact that is gone"),
            ),
            move_ids,
        )

    def _remind_instead(self, moves, partners):
        """Send these partners a reminder of these invoices in place of this message."""
        self.ensure_one()
        fits = self.template_id._is_for_many() == (len(moves) > 1)
        results = moves._wab_enqueue(
            {move.id: partners for move in moves},
            self.method,
            self.template_id.id if fits else False,
            explicit=any(rule["rule"] == "sent_by_person" for rule in self.trace or []),
            is_reminder=True,
            is_named=not self._follows_document(),
            purpose="collections",
        )
        moves._wab_note_reminders(results)
        new_ids = {result["message_id"] for result in results}
        self.browse(new_ids).replaces_id = self
        return results

    def _find_heirs_of_reminder(self, moves):
        """Return {move id: who is reminded of it in place of this recipient}.

        The same one where it is still theirs; else whom it goes to by now and who has
        not been reminded of it since.
        """
        self.ensure_one()
        mine = self.partner_id._wab_of_company(self.company_id)
        if not self._follows_document():
            return dict.fromkeys(moves.ids, mine)
        now = moves._wab_get_recipients()
        told = self._read_reminded_since(moves)
        return {
            move.id: mine
            if mine and mine in now[move.id]
            else now[move.id].filtered(
                lambda p, heard=told[move.id]: not heard & {p.id, p.wab_person_key}
            )
            for move in moves
        }

    def _read_reminded_since(self, moves):
        """Return {move id: ids and numbers of who was reminded of it since}."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT l.move_id, n.partner_id, n.person_key
                  FROM whatsapp_billing_collection_item i
                  JOIN account_move_line l ON l.id = i.move_line_id
                  JOIN whatsapp_billing_message n ON n.id = i.message_id
                 WHERE l.move_id = ANY(%s) AND n.id != %s AND n.queued_at >= %s
                   AND n.state NOT IN ('canceled', 'failed')
                """,
                moves.ids,
                self.id,
                self.queued_at,
            )
        )
        told = defaultdict(set)
        for move_id, partner_id, person_key in rows:
            told[move_id] |= {partner_id, person_key} - {None, ""}
        return told
