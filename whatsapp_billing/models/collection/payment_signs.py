# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What says that an open invoice is being paid, though the books do not show it yet.

Asked when a plan decides, when a person reminds and once more before the call: the
same questions over the same time, so that what one lets pass the next does not stop.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...const import RECEIVED_STATES, REMINDABLE_MOVES
from ...rules import bank_match

# An online payment that has not come by then never will (a transfer never ordered).
PENDING_DAYS = 14
# What came in at the bank and fits; older ones would have been reconciled.
BANK_DAYS = 60


class WhatsappBillingCollectionCase(models.Model):
    _inherit = "whatsapp.billing.collection.case"

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
