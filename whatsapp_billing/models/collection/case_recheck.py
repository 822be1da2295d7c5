# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Is a reminder that waits still true? Asked by the rules that a run asks."""

from collections import defaultdict

from odoo import api, models

from ...rules import dunning
from ...rules.dunning_lines import find_change
from ..common.ledger import CLEARED
from .plan import SENDING_STAGES


class WhatsappBillingCollectionCase(models.Model):
    _inherit = "whatsapp.billing.collection.case"

    # === BUSINESS METHODS - THE LAST LOOK === #

    @api.model
    def _recheck_reminders(self, message_ids):
        """Return {message id: (why it may not go as it is or None, whether some may)}.

        A reminder may go when every line that it names may be named with the amount
        that it says, and no credit has come since. Where a line that is due is left,
        the rest of it is still to be told.
        """
        rows = self._read_said(message_ids)
        lines = self._read_said_lines(rows)
        by_message = defaultdict(list)
        for row in rows:
            by_message[row["message_id"]].append(row)
        more_credit = self._find_new_credits(message_ids)
        return {
            message_id: _judge(said, lines, message_id in more_credit)
            for message_id, said in by_message.items()
        }

    @api.model
    def _find_rest(self, message_ids):
        """Return what is still to be paid of what messages reminded of.

        :return: {message id: invoices} of whom it was for, and the same of what is
            another customer's by now
        """
        rows = self._read_said(message_ids)
        lines = self._read_said_lines(rows)
        theirs, others = defaultdict(dict), defaultdict(dict)
        for row in rows:
            if row["role"] != "due":
                continue
            reason = find_change(lines[row["line_id"]], row["said"])
            if reason in (None, "superseded"):
                found = theirs if row["is_theirs"] else others
                found[row["message_id"]][row["move_id"]] = True
        return tuple(
            {message_id: list(moves) for message_id, moves in found.items()}
            for found in (theirs, others)
        )

    @api.model
    def _read_said(self, message_ids):
        """Return what the messages say of each line, and the line as it is now."""
        self.env.cr.execute(
            """
            SELECT i.message_id, i.role, i.amount::float AS said,
                   i.due_date AS said_due, l.id AS line_id,
                   l.move_id, l.company_id, l.parent_state AS document,
                   l.reconciled, l.no_followup, m.wab_send_override = 'off' AS is_off,
                   l.amount_residual_currency::float AS residual,
                   m.payment_state, m.commercial_partner_id AS debtor_id,
                   u.name AS currency, u.rounding::float AS rounding,
                   l.date_maturity AS due, COALESCE(c.state, 'active') AS state,
                   p.id IS NOT NULL AND (p.active IS NOT TRUE
                       OR NOT p.stage = ANY(%s)) AS is_stopped,
                   (o.id IS NULL OR o.id = m.partner_id
                    OR o.commercial_partner_id = m.commercial_partner_id) AS is_theirs
              FROM whatsapp_billing_collection_item i
              JOIN whatsapp_billing_message g ON g.id = i.message_id
         LEFT JOIN res_partner o ON o.id = g.document_partner_id
         LEFT JOIN whatsapp_billing_collection_plan p ON p.id = g.collection_plan_id
              JOIN account_move_line l ON l.id = i.move_line_id
              JOIN account_move m ON m.id = l.move_id
              JOIN res_currency u ON u.id = l.currency_id
         LEFT JOIN whatsapp_billing_collection_case c
                ON c.move_line_id = l.id AND c.state != 'done'
             WHERE i.message_id = ANY(%s)
          ORDER BY i.message_id, l.date_maturity, l.id
            """,
            [list(SENDING_STAGES), list(message_ids)],
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _read_said_lines(self, rows):
        """Return {line id: the line as the rules look at it}; credits are none."""
        owed = [row for row in rows if row["role"] != "credit"]
        move_ids = list({row["move_id"] for row in owed})
        open_amounts = self._read_open_amounts(move_ids)
        pending = self._read_pending_transactions(move_ids)
        by_company = defaultdict(set)
        for row in owed:
            by_company[row["company_id"]].add(row["line_id"])
        matches = set()
        for company_id, line_ids in by_company.items():
            company = self.env["res.company"].browse(company_id)
            matches |= self._read_bank_matches(company, line_ids)
        return {
            row["line_id"]: dunning.Line(
                line_id=row["line_id"],
                move_id=row["move_id"],
                debtor_id=row["debtor_id"],
                plan_id=None,
                due=row["due"],
                open_amount=open_amounts.get(row["line_id"], row["residual"]),
                company_amount=None,
                currency=row["currency"],
                rounding=row["rounding"],
                document=row["document"],
                is_cleared=row["reconciled"] or row["payment_state"] in CLEARED,
                state=row["state"],
                payment_pending=row["move_id"] in pending,
                bank_match=row["line_id"] in matches,
                no_followup=bool(row["no_followup"]),
                is_off=bool(row["is_off"]),
            )
            for row in owed
        }

    @api.model
    def _find_new_credits(self, message_ids):
        """Return the plans' messages whose customer has a credit they do not count."""
        # A customer's own contacts and their lines are looked up by index (`OFFSET 0`):
        # joined, a planner may read all lines of the company once for each batch.
        self.env.cr.execute(
            """
            SELECT DISTINCT i.message_id
              FROM whatsapp_billing_collection_item i
              JOIN whatsapp_billing_message g ON g.id = i.message_id
              JOIN account_move_line l ON l.id = i.move_line_id
              JOIN account_move m ON m.id = l.move_id
              JOIN LATERAL (
                   SELECT id FROM res_partner
                    WHERE commercial_partner_id = m.commercial_partner_id
                   OFFSET 0) p ON TRUE
              JOIN LATERAL (
                   SELECT id, move_id, account_id, no_followup FROM account_move_line
                    WHERE partner_id = p.id
                      AND company_id = l.company_id AND currency_id = l.currency_id
                      AND parent_state = 'posted' AND reconciled IS NOT TRUE
                      AND amount_residual_currency < 0
                   OFFSET 0) x ON TRUE
              JOIN account_account a ON a.id = x.account_id
              JOIN account_move n ON n.id = x.move_id
             WHERE i.message_id = ANY(%s) AND i.role != 'credit'
               AND g.collection_plan_id IS NOT NULL
               AND a.account_type = 'asset_receivable'
               AND NOT (x.no_followup IS TRUE AND n.move_type = 'out_refund')
               AND NOT EXISTS (
                   SELECT 1 FROM whatsapp_billing_collection_item j
                    WHERE j.message_id = g.id AND j.move_line_id = x.id)
            """,
            [list(message_ids)],
        )
        return {row[0] for row in self.env.cr.fetchall()}


def _judge(rows, lines, has_new_credit):
    """Return (reason, whether a due line is left) of one message."""
    if any(row["is_stopped"] for row in rows):
        # Its plan was switched off while the message waited.
        return "paused", False
    due, left, first_reason = False, False, None
    changed = has_new_credit
    for row in rows:
        if row["role"] == "credit":
            changed |= abs(row["residual"] - row["said"]) > row["rounding"] / 2
            continue
        reason = find_change(lines[row["line_id"]], row["said"])
        if reason is None and row["said_due"] != row["due"]:
            reason = "superseded"
        # An invoice that is another customer's by now is not told to this one.
        changed |= reason is not None or not row["is_theirs"]
        if row["role"] == "due":
            due = True
            left |= reason in (None, "superseded")
            first_reason = first_reason or reason
    if not changed:
        return None, False
    if due and not left:
        return first_reason, False
    return "superseded", left
