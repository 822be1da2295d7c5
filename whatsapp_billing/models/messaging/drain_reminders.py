# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The last look at a reminder: is it still true what it says? (features D7)"""

from dataclasses import dataclass

REMINDER = "payment_reminder"
# An online payment that has not come by then never will (a transfer never ordered).
PENDING_DAYS = 14


@dataclass(frozen=True, slots=True)
class Truth:
    """What has become of the lines that a reminder is about."""

    is_settled: bool = False
    has_changed: bool = False
    is_paused: bool = False
    is_disputed: bool = False
    payment_pending: bool = False
    bank_match: bool = False


UNTOUCHED = Truth()


def look(drain, rows):
    """Return {message id: Truth} of the reminders among claimed rows, in one query.

    Settled: nothing is open on any line. Changed: an amount is another one, so the
    text is not true; a credit note that was used, or has come since, shows as such.
    """
    ids = [row["id"] for row in rows if row["document_type"] == REMINDER]
    if not ids:
        return {}
    drain.env.cr.execute(
        """
        SELECT i.message_id,
               bool_and(l.reconciled IS TRUE OR l.amount_residual_currency <= 0
                        OR m.payment_state IN ('paid', 'in_payment', 'reversed'))
                   FILTER (WHERE i.role != 'credit'),
               bool_or(abs(l.amount_residual_currency - i.amount)
                       > COALESCE(w.amount, 0) + u.rounding / 2
                       OR (i.role != 'credit' AND l.parent_state != 'posted')
                       OR (g.collection_plan_id IS NOT NULL AND EXISTS (
                           SELECT 1 FROM account_move_line x
                             JOIN account_account a ON a.id = x.account_id
                            WHERE x.partner_id IN (
                                  SELECT id FROM res_partner
                                   WHERE commercial_partner_id =
                                         m.commercial_partner_id)
                              AND x.company_id = l.company_id
                              AND x.currency_id = l.currency_id
                              AND a.account_type = 'asset_receivable'
                              AND x.parent_state = 'posted'
                              AND x.reconciled IS NOT TRUE
                              AND x.amount_residual_currency < 0
                              AND x.write_date > g.queued_at
                              AND NOT EXISTS (
                                  SELECT 1 FROM whatsapp_billing_collection_item j
                                   WHERE j.message_id = g.id
                                     AND j.move_line_id = x.id)))),
               bool_or(c.state IN ('paused', 'promised') AND i.role = 'due'),
               bool_or(c.state = 'disputed'),
               bool_or(EXISTS (
                   SELECT 1 FROM account_invoice_transaction_rel r
                     JOIN payment_transaction t ON t.id = r.transaction_id
                    WHERE r.invoice_id = m.id
                      AND t.state IN ('pending', 'authorized')
                      AND COALESCE(t.last_state_change, t.write_date)
                          > (now() at time zone 'utc') - %(days)s * interval '1 day')),
               bool_or(i.role != 'credit' AND EXISTS (
                   SELECT 1 FROM account_bank_statement_line s
                     JOIN account_move b ON b.id = s.move_id
                LEFT JOIN res_partner p ON p.id = s.partner_id
                    WHERE s.company_id = l.company_id
                      AND s.is_reconciled IS NOT TRUE AND b.state = 'posted'
                      AND round(COALESCE(NULLIF(s.amount_currency, 0), s.amount)
                                ::numeric, 2)
                          IN (round(l.amount_residual_currency::numeric, 2),
                              round(m.amount_residual::numeric, 2))
                      AND s.amount > 0
                      AND (p.commercial_partner_id = m.commercial_partner_id
                           OR strpos(lower(s.payment_ref), lower(m.name)) > 0
                           OR (m.payment_reference != ''
                               AND strpos(lower(s.payment_ref),
                                          lower(m.payment_reference)) > 0))))
          FROM whatsapp_billing_collection_item i
          JOIN whatsapp_billing_message g ON g.id = i.message_id
          JOIN account_move_line l ON l.id = i.move_line_id
          JOIN account_move m ON m.id = l.move_id
          JOIN res_currency u ON u.id = l.currency_id
     LEFT JOIN whatsapp_billing_collection_case c
            ON c.move_line_id = i.move_line_id AND c.state != 'done'
     LEFT JOIN LATERAL (
               SELECT sum(CASE WHEN y.currency_id = m.currency_id THEN y.amount
                          ELSE y.amount_company_currency_signed * m.amount_total
                               / NULLIF(m.amount_total_signed, 0) END) AS amount
                 FROM account_move__account_payment r
                 JOIN account_payment y ON y.id = r.payment_id
                WHERE r.invoice_id = m.id AND y.move_id IS NULL
                  AND y.state IN ('in_process', 'paid')
                  AND i.amount < l.amount_residual_currency) w ON TRUE
         WHERE i.message_id = ANY(%(ids)s)
      GROUP BY i.message_id
        """,
        {"ids": ids, "days": PENDING_DAYS},
    )
    return {
        row[0]: Truth(*(bool(value) for value in row[1:]))
        for row in drain.env.cr.fetchall()
    }
