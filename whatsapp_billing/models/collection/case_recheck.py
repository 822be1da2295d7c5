# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Is a reminder that waits still true, and what says that it is being paid?

Asked when a plan decides, when a person reminds and once more before the call: the
same questions over the same time, so that what one lets pass the next does not stop.
"""

from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...const import RECEIVED_STATES, REMINDABLE_MOVES
from ...rules import bank_match, dunning
from ...rules.dunning_lines import find_change
from ..common.ledger import CLEARED
from .plan import SENDING_STAGES

# Days after which a pending online payment no longer holds reminders back: the customer
# never ordered the transfer.
PENDING_DAYS = 14

# Days for which an unreconciled bank line holds reminders back; an older one would have
# been reconciled.
BANK_DAYS = 60


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
            if row["role"] != "due" or not row["line_id"]:
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
        """Return what the messages say of each line, and the line as it is now.

        Of a line that was deleted since, nothing but what was said.
        """
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
         LEFT JOIN account_move_line l ON l.id = i.move_line_id
         LEFT JOIN account_move m ON m.id = l.move_id
         LEFT JOIN res_currency u ON u.id = l.currency_id
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
        owed = [row for row in rows if row["role"] != "credit" and row["line_id"]]
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
        # `OFFSET 0` has PostgreSQL look up each customer's lines by index; joined, it
        # may read all lines of the company for each batch.
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

    # === BUSINESS METHODS - PAYMENTS ON THEIR WAY === #

    @api.model
    def _flush_books(self):
        """Have the database know what is asked below, and nothing else.

        Dialogs ask this while they are being computed themselves.
        """
        for model in (
            "account.move",
            "account.move.line",
            "account.payment",
            "account.bank.statement.line",
            "payment.transaction",
            "res.partner",
        ):
            self.env[model].flush_model()

    @api.model
    def _read_open_amounts(self, move_ids):
        """Return {line id: open} of invoices with payments that are not booked yet.

        Such a payment is taken off the oldest instalments first. Lines of other
        invoices are not in it: all of their residual is open.
        """
        paid = self._read_pending_amounts(move_ids)
        if not paid:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT l.move_id, l.id, l.amount_residual_currency::float
                  FROM account_move_line l
                  JOIN account_account a ON a.id = l.account_id
                 WHERE l.move_id = ANY(%s) AND l.reconciled IS NOT TRUE
                   AND a.account_type = 'asset_receivable'
              ORDER BY l.date_maturity, l.id
                """,
                list(paid),
            )
        )
        found = {}
        for move_id, line_id, residual in rows:
            used = min(max(paid[move_id], 0.0), max(residual, 0.0))
            paid[move_id] -= used
            found[line_id] = round(residual - used, 6)
        return found

    @api.model
    def _read_pending_amounts(self, move_ids):
        """Return {move id: paid by payments that are not in the books yet}.

        In the invoice's currency; a payment in another one at the invoice's own rate.
        """
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT r.invoice_id, sum(
                           CASE WHEN p.currency_id = m.currency_id THEN p.amount
                           ELSE p.amount_company_currency_signed * m.amount_total
                                / NULLIF(m.amount_total_signed, 0) END)::float
                      FROM account_move__account_payment r
                      JOIN account_payment p ON p.id = r.payment_id
                      JOIN account_move m ON m.id = r.invoice_id
                     WHERE r.invoice_id = ANY(%s) AND p.move_id IS NULL
                       AND p.state IN %s
                       AND p.payment_type = 'inbound'
                  GROUP BY r.invoice_id
                    """,
                    list(move_ids),
                    RECEIVED_STATES,
                )
            )
        )

    @api.model
    def _read_pending_transactions(self, move_ids):
        """Return the invoices that somebody is paying online at this moment."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT r.invoice_id FROM account_invoice_transaction_rel r
                  JOIN payment_transaction t ON t.id = r.transaction_id
                 WHERE r.invoice_id = ANY(%s) AND t.state IN ('pending', 'authorized')
                   AND COALESCE(t.last_state_change, t.write_date) > %s
                """,
                list(move_ids),
                fields.Datetime.now() - timedelta(days=PENDING_DAYS),
            )
        )
        return {row[0] for row in rows}

    # === BUSINESS METHODS - MONEY AT THE BANK === #

    @api.model
    def _read_bank_matches(self, company, line_ids):
        """Return the lines whose money seems to be at the bank already.

        Two queries whatever their number, and one where no transaction has such an
        amount. `rules.bank_match` says which invoice a transaction is for.
        """
        transactions = self._read_transactions(company, line_ids)
        if not transactions:
            return set()
        instalments = self._read_rivals(company, line_ids, transactions)
        return bank_match.match(transactions, instalments).keys() & set(line_ids)

    @api.model
    def _read_transactions(self, company, line_ids):
        """Return what came in and has the amount of one of these lines or invoices.

        Measured from today, also where a run is for a later day: its messages go now.
        """
        since = fields.Datetime.now().date() - timedelta(days=BANK_DAYS)
        rows = self.env.execute_query(
            SQL(
                """
                WITH asked AS MATERIALIZED (
                    SELECT l.currency_id, u.decimal_places,
                           round(l.amount_residual_currency, u.decimal_places) AS line,
                           round(m.amount_residual, u.decimal_places) AS whole
                      FROM account_move_line l
                      JOIN account_move m ON m.id = l.move_id
                      JOIN res_currency u ON u.id = l.currency_id
                     WHERE l.id = ANY(%(lines)s)),
                sums AS (SELECT currency_id, decimal_places, line AS amount FROM asked
                          UNION
                         SELECT currency_id, decimal_places, whole FROM asked),
                incoming AS MATERIALIZED (
                    SELECT s.id, s.payment_ref, p.commercial_partner_id AS debtor_id,
                           b.date,
                           CASE WHEN s.foreign_currency_id IS NOT NULL
                                 AND s.amount_currency != 0
                                THEN s.foreign_currency_id
                                ELSE COALESCE(s.currency_id, j.currency_id, %(own)s)
                           END AS currency_id,
                           CASE WHEN s.foreign_currency_id IS NOT NULL
                                 AND s.amount_currency != 0
                                THEN s.amount_currency ELSE s.amount END AS amount
                      FROM account_bank_statement_line s
                      JOIN account_move b ON b.id = s.move_id
                      JOIN account_journal j ON j.id = b.journal_id
                 LEFT JOIN res_partner p ON p.id = s.partner_id
                     WHERE s.company_id = %(company)s AND s.is_reconciled IS NOT TRUE
                       AND s.amount > 0 AND b.state = 'posted' AND b.date >= %(since)s)
                SELECT i.id, COALESCE(i.payment_ref, ''), i.debtor_id, i.currency_id,
                       x.amount::float, i.date
                  FROM incoming i
                  JOIN sums x ON x.currency_id = i.currency_id
                   AND x.amount = round(i.amount::numeric, x.decimal_places)
                """,
                lines=list(line_ids),
                company=company.id,
                own=company.currency_id.id,
                since=since,
            )
        )
        return [bank_match.Transaction(*row) for row in rows]

    @api.model
    def _read_rivals(self, company, line_ids, transactions):
        """Return what these transactions may be for: the lines asked about, all that
        their customers owe, and the documents that they name, open or not.
        """
        words = set().union(*(bank_match.candidates(t.label) for t in transactions))
        debtors = {t.debtor_id for t in transactions} - {None}
        rows = self.env.execute_query(
            SQL(
                """
                WITH places AS (
                    SELECT l.id FROM account_move_line l WHERE l.id = ANY(%(lines)s)
                     UNION
                    SELECT l.id FROM account_move_line l
                      JOIN account_account a ON a.id = l.account_id
                     WHERE l.partner_id IN (
                           SELECT id FROM res_partner
                            WHERE commercial_partner_id = ANY(%(debtors)s))
                       AND l.company_id = %(company)s AND l.reconciled IS NOT TRUE
                       AND l.parent_state = 'posted'
                       AND a.account_type = 'asset_receivable'
                     UNION
                    SELECT l.id FROM account_move n
                      JOIN account_move_line l ON l.move_id = n.id
                      JOIN account_account a ON a.id = l.account_id
                     WHERE n.name = ANY(%(words)s) AND n.state = 'posted'
                       AND n.name != '/' AND n.company_id = %(company)s
                       AND a.account_type = 'asset_receivable')
                SELECT l.id, m.id, m.commercial_partner_id, m.name, m.payment_reference,
                       l.currency_id,
                       round(l.amount_residual_currency, u.decimal_places)::float,
                       round(m.amount_residual, u.decimal_places)::float,
                       l.date_maturity,
                       l.reconciled IS NOT TRUE AND l.amount_residual_currency > 0
                  FROM places x
                  JOIN account_move_line l ON l.id = x.id
                  JOIN account_move m ON m.id = l.move_id
                  JOIN res_currency u ON u.id = l.currency_id
                 WHERE m.move_type IN %(sales)s
                """,
                lines=list(line_ids),
                debtors=list(debtors),
                company=company.id,
                words=list(words),
                sales=REMINDABLE_MOVES,
            )
        )
        return [
            bank_match.Instalment(
                line_id,
                move_id,
                debtor_id,
                tuple(filter(None, (name, reference))),
                *rest,
            )
            for line_id, move_id, debtor_id, name, reference, *rest in rows
        ]


def _judge(rows, lines, has_new_credit):
    """Return (reason, whether a due line is left) of one message."""
    if any(row["is_stopped"] for row in rows):
        # The plan was switched off while the message waited: cancelled as paused.
        return "paused", False
    due, left, first_reason = False, False, None
    changed = has_new_credit
    for row in rows:
        if not row["line_id"]:
            # It names what was deleted meanwhile.
            changed = True
            if row["role"] == "due":
                due = True
                first_reason = first_reason or "cancelled_document"
            continue
        if row["role"] == "credit":
            changed |= abs(row["residual"] - row["said"]) > row["rounding"] / 2
            continue
        reason = find_change(lines[row["line_id"]], row["said"])
        if reason is None and row["said_due"] != row["due"]:
            reason = "superseded"
        # The invoice has become another customer's: it drops out of this one's
        # reminder.
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
