# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Cases follow the ledger: opened, closed and opened again, in bulk."""

from odoo import api, fields, models
from odoo.tools import SQL

from ...const import REMINDABLE_MOVES
from ..common.ledger import CLEARED

# States set by what a customer or a person said: they hold in any plan.
HOLDING = ("promised", "paused", "disputed")

_OPEN = SQL(
    """
    l.parent_state = 'posted' AND l.reconciled IS NOT TRUE
    AND l.amount_residual_currency > 0 AND a.account_type = 'asset_receivable'
    AND m.move_type IN %s AND COALESCE(m.payment_state, 'not_paid') NOT IN %s
    """,
    REMINDABLE_MOVES,
    CLEARED,
)
# SQL: the case `c` is of the customer who owes the document `m`, also where its debtor
# was merged into, or became a contact of, that customer.
_THEIRS = SQL(
    """
    (c.debtor_id = m.commercial_partner_id OR EXISTS (
        SELECT 1 FROM res_partner x
         WHERE x.id = c.debtor_id
           AND x.commercial_partner_id = m.commercial_partner_id))
    """
)
# Fields of a hold; a new case takes them over from one that was closed while held.
_HOLDS = ("promise_date", "pause_reason", "resume_on", "dispute_reason")
# SQL: the latest case of the line `l`. LATERAL, as in a join PostgreSQL reads all cases
# for each line while it takes the table for empty.
_LATEST_CASE = SQL(
    """
    SELECT state_before, last_step_days, last_date, promises_kept, promises_broken, %s
      FROM whatsapp_billing_collection_case c
     WHERE c.move_line_id = l.id AND %s
  ORDER BY c.id DESC LIMIT 1
    """,
    SQL(", ").join(
        SQL("CASE WHEN state_before IS NOT NULL THEN %(name)s END AS %(name)s", name=c)
        for c in map(SQL.identifier, (*_HOLDS, "dispute_user_id", "disputed_at"))
    ),
    _THEIRS,
)
# Why the system asks a person by a plan's step (`mail.activity.wab_reason`).
STEP_ACTIVITY = "collection_step"
# State of the entry -> reason with which its waiting reminders are cancelled.
WITHDRAWN_AS = {
    "posted": "already_paid",
    "draft": "draft",
    "cancel": "cancelled_document",
}


class WhatsappBillingCollectionCase(models.Model):
    _inherit = "whatsapp.billing.collection.case"

    state_before = fields.Char(
        readonly=True,
        help="What held it when it was closed, in case the document comes back or its"
        " money goes again.",
    )
    is_kept_by_closing = fields.Boolean(
        readonly=True,
        help="Its closing counted a promise as kept; not so if the payment is returned.",
    )

    # === BUSINESS METHODS - OPENING === #

    @api.model
    def _enrol(self, company, moves=None):
        """Open a case for every open instalment that a running plan is for.

        The plan of the invoice comes first, then the customer's, then the first plan
        whose condition fits, then the company's default. A case that was closed
        because the money came, and has gone again, is opened again with what was said.
        What is in a plan that is switched off goes over to the running one that fits.

        :param moves: only these; all of the company's by default
        """
        # sudo: whatsapp.billing.collection.plan - cases follow the books, whoever books
        plans = (
            self.env["whatsapp.billing.collection.plan"]
            .sudo()
            .search([("company_id", "=", company.id), ("stage", "!=", "off")])
        )
        if not plans:
            return
        self.env.flush_all()
        self._reopen(company, moves)
        self._open_chosen(company, plans, moves)
        for plan in plans:
            # The company's default plan without a condition comes last, below.
            if plan != company.wab_plan_id or plan.domain not in (False, "[]"):
                if plan._is_condition_allowed():
                    fitting = plan._find_fitting(moves)
                    self._insert_cases(company, moves, plan, SQL("m.id IN %s", fitting))
        if company.wab_plan_id in plans:
            self._insert_cases(company, moves, company.wab_plan_id, SQL("TRUE"))
        self.invalidate_model(flush=False)

    @api.model
    def _reopen(self, company, moves):
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_collection_case c
                   SET state = COALESCE(c.state_before, 'active'), debtor_id = d.id,
                       close_reason = NULL, state_before = NULL,
                       next_check_date = '1970-01-01', is_kept_by_closing = FALSE,
                       promises_kept = COALESCE(c.promises_kept, 0)
                           - COALESCE(c.is_kept_by_closing, FALSE)::int,
                       promise_date = CASE WHEN %(held)s THEN c.promise_date END,
                       dispute_reason = CASE WHEN %(held)s THEN c.dispute_reason END,
                       dispute_user_id = CASE WHEN %(held)s THEN c.dispute_user_id END,
                       disputed_at = CASE WHEN %(held)s THEN c.disputed_at END
                  FROM account_move_line l, account_move m, account_account a,
                       res_partner d
                 WHERE c.company_id = %(company)s AND c.state = 'done'
                   AND c.close_reason IS DISTINCT FROM 'no_plan'
                   AND l.id = c.move_line_id AND m.id = l.move_id
                   AND a.id = l.account_id AND %(open)s AND %(moves)s
                   AND d.id = m.commercial_partner_id AND %(theirs)s
                   AND (%(chosen)s = c.plan_id OR %(free)s)
                   AND c.id = (SELECT max(id) FROM whatsapp_billing_collection_case o
                                WHERE o.move_line_id = c.move_line_id)
                """,
                company=company.id,
                held=SQL("c.state_before IS NOT NULL"),
                chosen=self._chosen_sql(company),
                free=self._free_sql(company),
                theirs=_THEIRS,
                open=_OPEN,
                moves=_only(moves),
            )
        )

    @api.model
    def _chosen_sql(self, company):
        """Return the plan that somebody chose on the invoice, else on the customer.

        A plan that was deleted, or that was chosen in another company, is none.
        """
        return SQL(
            """
            COALESCE(
                CASE WHEN m.wab_plan_choice = 'plan' THEN m.wab_plan_id END,
                CASE WHEN m.wab_plan_choice IS DISTINCT FROM 'none'
                      AND d.wab_plan_choice ->> %(company)s = 'plan'
                     THEN (d.wab_plan_id ->> %(company)s)::int END)
            """,
            company=str(company.id),
        )

    @api.model
    def _free_sql(self, company):
        """Return whether any plan that fits may take the invoice in."""
        return SQL(
            """
            (m.wab_plan_choice IS DISTINCT FROM 'none'
             AND d.wab_plan_choice ->> %(company)s IS DISTINCT FROM 'none'
             AND %(chosen)s IS NULL)
            """,
            company=str(company.id),
            chosen=self._chosen_sql(company),
        )

    @api.model
    def _open_chosen(self, company, plans, moves):
        """Open cases of the plans that somebody chose on an invoice or a customer."""
        chosen = self._chosen_sql(company)
        for plan in plans:
            self._insert_cases(
                company, moves, plan, SQL("%s = %s", chosen, plan.id), chosen=True
            )

    @api.model
    def _insert_cases(self, company, moves, plan, condition, chosen=False):
        """Open cases of a plan for what is open, has none and meets a condition.

        What was done and said before on the same line is taken over.

        :param moves: only these; all of the company's for None
        :param chosen: the condition names what was chosen; else only what is free
        """
        free = SQL("TRUE") if chosen else self._free_sql(company)
        self._take_over(company, moves, plan, SQL("%s AND %s", free, condition))
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO whatsapp_billing_collection_case
                       (move_line_id, move_id, debtor_id, company_id, plan_id, state,
                        next_check_date, last_step_days, last_date, promise_date, promises_kept,
                        promises_broken, pause_reason, resume_on, dispute_reason,
                        dispute_user_id, disputed_at, step_id, next_date,
                        create_uid, write_uid, create_date, write_date)
                SELECT l.id, m.id, m.commercial_partner_id, l.company_id, %(plan)s,
                       COALESCE(o.state_before, 'active'), '1970-01-01',
                       o.last_step_days, o.last_date, o.promise_date, o.promises_kept,
                       o.promises_broken, o.pause_reason, o.resume_on,
                       o.dispute_reason, o.dispute_user_id, o.disputed_at,
                       n.id, l.date_maturity + n.days,
                       %(uid)s, %(uid)s, %(now)s, %(now)s
                  FROM account_move_line l
                  JOIN account_move m ON m.id = l.move_id
                  JOIN account_account a ON a.id = l.account_id
                  JOIN res_partner d ON d.id = m.commercial_partner_id
             LEFT JOIN LATERAL (%(latest)s) o ON TRUE
             LEFT JOIN LATERAL (
                       SELECT id FROM whatsapp_billing_collection_case
                        WHERE move_line_id = l.id AND state != 'done'
                     ORDER BY id DESC LIMIT 1) c ON TRUE
             LEFT JOIN LATERAL (%(next_step)s) n ON TRUE
                 WHERE l.company_id = %(company)s AND %(open)s AND %(moves)s
                   AND %(free)s AND %(condition)s
                   AND c.id IS NULL
                ON CONFLICT (move_line_id) WHERE state != 'done' DO NOTHING
                """,
                plan=plan.id,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                # An invoice just posted shows its next step; a night's new cases are
                # decided, and get it, in the same run.
                next_step=SQL("SELECT NULL::int AS id, NULL::int AS days")
                if moves is None
                else _next_step_sql(plan),
                company=company.id,
                open=_OPEN,
                moves=_only(moves),
                free=free,
                condition=condition,
                latest=_LATEST_CASE,
            )
        )

    @api.model
    def _take_over(self, company, moves, plan, condition):
        """Give a plan what fits it and is in plans that are switched off.

        What was said, promised and disputed goes along.
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_collection_case c
                   SET plan_id = %(plan)s, step_id = NULL, next_check_date = '1970-01-01'
                  FROM account_move m, res_partner d,
                       whatsapp_billing_collection_plan p
                 WHERE c.company_id = %(company)s AND c.state != 'done'
                   AND m.id = c.move_id AND d.id = m.commercial_partner_id
                   AND p.id = c.plan_id AND p.id != %(plan)s
                   AND (p.stage = 'off' OR p.active IS NOT TRUE)
                   AND %(moves)s AND %(condition)s
                """,
                plan=plan.id,
                company=company.id,
                moves=_only(moves),
                condition=condition,
            )
        )

    # === BUSINESS METHODS - LOOKING AHEAD === #

    @api.model
    def _candidate_sql(self, plan):
        """Return (debtor, line) of the plan's cases and of what it would take in."""
        return SQL(
            """
            SELECT debtor_id, move_line_id FROM whatsapp_billing_collection_case
             WHERE plan_id = %s AND state != 'done'
             UNION
            SELECT m.commercial_partner_id, l.id %s
            """,
            plan.id,
            self._future_sql(plan),
        )

    @api.model
    def _future_sql(self, plan):
        fitting = SQL("(SELECT 0 WHERE FALSE)")
        if plan._is_condition_allowed():
            fitting = plan._find_fitting()
        return SQL(
            """
              FROM account_move_line l
              JOIN account_move m ON m.id = l.move_id
              JOIN account_account a ON a.id = l.account_id
              JOIN res_partner d ON d.id = m.commercial_partner_id
              JOIN res_currency u ON u.id = l.currency_id
         LEFT JOIN whatsapp_billing_collection_case c
                ON c.move_line_id = l.id AND c.state != 'done'
         LEFT JOIN whatsapp_billing_collection_plan p ON p.id = c.plan_id
             WHERE l.company_id = %(company)s AND %(open)s
               AND (%(chosen)s = %(plan)s OR (%(free)s AND m.id IN %(fitting)s))
               AND (c.id IS NULL OR c.plan_id != %(plan)s
                    AND (p.stage = 'off' OR p.active IS NOT TRUE))
            """,
            company=plan.company_id.id,
            open=_OPEN,
            chosen=self._chosen_sql(plan.company_id),
            free=self._free_sql(plan.company_id),
            plan=plan.id,
            fitting=fitting,
        )

    @api.model
    def _read_future_rows(self, plan, debtor_ids):
        """Return what `_read_rows` would, had the plan taken its invoices in."""
        self.env.cr.execute(
            SQL(
                """
                SELECT NULL AS case_id, l.id AS line_id, l.move_id,
                       m.commercial_partner_id AS debtor_id, %s AS plan_id,
                       l.date_maturity AS due, m.state AS document, m.payment_state,
                       l.amount_residual_currency::float AS residual,
                       l.amount_residual::float AS company_residual, l.currency_id,
                       u.name AS currency, u.rounding::float AS rounding,
                       COALESCE(c.state, 'active') AS state, c.promise_date,
                       COALESCE(c.promises_broken, 0) AS promises_broken,
                       c.resume_on, c.last_step_days, c.last_date,
                       m.name AS move_name, m.partner_id, m.wab_send_override,
                       l.no_followup
                %s AND m.commercial_partner_id = ANY(%s)
                """,
                plan.id,
                self._future_sql(plan),
                debtor_ids,
            )
        )
        return self.env.cr.dictfetchall()

    # === BUSINESS METHODS - FOLLOWING THE LEDGER === #

    @api.model
    def _sync(self, moves):
        """Close, and open again, what these documents' money has settled or undone.

        Called from accounting's own hooks; reads the ledger, never writes it.
        """
        sales = moves.filtered(lambda move: move.move_type in REMINDABLE_MOVES)
        if not sales:
            return
        self.env.flush_all()
        self._close_settled(SQL("m.id = ANY(%s)", list(sales.ids)))
        self._end_former(SQL("m.id = ANY(%s)", list(sales.ids)))
        for company in sales.company_id:
            self._enrol(company, sales.filtered(lambda m, c=company: m.company_id == c))

    @api.model
    def _close_settled(self, condition):
        """Close the cases of what is paid, credited, cancelled or a draft again.

        A promise was kept when the money came by its date and the plan's grace: on
        the day that the books give it, though it may be written there later. A draft
        may be posted again: what held its reminders is kept for then; and a payment
        returned: the promise is, but who paid disputes it no more.

        :return: the cases that were closed
        """
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_collection_case c
                   SET state = 'done', next_date = NULL, next_check_date = NULL,
                       step_id = NULL,
                       state_before = CASE
                           WHEN m.state = 'draft' OR c.state = 'promised'
                           THEN c.state END,
                       is_kept_by_closing = %(kept)s,
                       close_reason = CASE
                           WHEN m.state = 'cancel' THEN 'cancelled'
                           WHEN m.state = 'draft' THEN 'draft'
                           WHEN m.payment_state = 'reversed' THEN 'credited'
                           ELSE 'paid' END,
                       promises_kept = COALESCE(c.promises_kept, 0)
                           + (%(kept)s)::int
                  FROM account_move_line l, account_move m,
                       whatsapp_billing_collection_plan p
                 WHERE c.state != 'done' AND l.id = c.move_line_id
                   AND m.id = l.move_id AND p.id = c.plan_id AND %(condition)s
                   AND (m.state != 'posted' OR l.reconciled
                        OR l.amount_residual_currency <= 0
                        OR m.payment_state IN %(cleared)s)
             RETURNING c.id, m.state
                """,
                kept=SQL(
                    """
                    COALESCE(c.state = 'promised' AND m.state = 'posted'
                        AND LEAST(%(today)s, COALESCE((
                            SELECT max(x.max_date) FROM account_partial_reconcile x
                             WHERE x.debit_move_id = l.id), %(today)s))
                            <= c.promise_date + p.grace_days, FALSE)
                    """,
                    today=fields.Date.context_today(self),
                ),
                cleared=CLEARED,
                condition=condition,
            )
        )
        closed = self.browse(row[0] for row in rows)
        closed.invalidate_recordset(flush=False)
        for state, reason in WITHDRAWN_AS.items():
            mine = self.browse(row[0] for row in rows if row[1] == state)
            # Reminders by hand of a draft stay: it may be posted again before they go.
            mine._withdraw_waiting(reason, by_hand=state != "draft")
        closed._end_activities()
        return closed

    def _end_activities(self):
        """Delete what people were asked to do about customers who owe no more of it.

        Called with sudo once these cases are closed. An activity is about all that a
        customer was followed up for: while something of that is open, it stays. What
        is done is archived, and stays as well.
        """
        if not self:
            return
        rows = self.env.execute_query(
            SQL(
                """
                SELECT f.activity_id FROM whatsapp_billing_collection_followup f
                 WHERE f.debtor_id = ANY(%(debtors)s)
                   AND f.company_id = ANY(%(companies)s)
                   AND f.activity_id IS NOT NULL
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_collection_case c
                        WHERE c.company_id = f.company_id
                          AND c.debtor_id = f.debtor_id AND c.state != 'done'
                          AND c.last_date IS NOT NULL)
                """,
                debtors=self.debtor_id.ids,
                companies=self.company_id.ids,
            )
        )
        # sudo: mail.activity - whoever was asked, it is to be done no more
        self.env["mail.activity"].sudo().search(
            [("id", "in", [row[0] for row in rows]), ("wab_reason", "=", STEP_ACTIVITY)]
        ).unlink()

    @api.model
    def _end_former(self, condition):
        """End the cases of customers whose documents are another customer's by now.

        What they said holds nobody else's debt. It stays on the document to be read,
        and would hold again if that became theirs again; of what they dispute, whoever
        handles it is told.
        """
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_collection_case c
                   SET state = 'done', close_reason = 'other_customer',
                       state_before = CASE WHEN c.state = 'done' THEN c.state_before
                                           ELSE c.state END,
                       next_date = NULL, next_check_date = NULL, step_id = NULL
                  FROM account_move m
                 WHERE m.id = c.move_id AND m.state = 'posted' AND %s
                   AND (c.state != 'done' OR c.close_reason = 'draft'
                        OR (c.close_reason = 'no_plan' AND c.state_before IS NOT NULL))
                   AND NOT %s
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_collection_case o
                        WHERE o.move_line_id = c.move_line_id AND o.id > c.id)
             RETURNING c.id, c.state_before
                """,
                condition,
                _THEIRS,
            )
        )
        ended = self.browse(row[0] for row in rows)
        ended.invalidate_recordset(flush=False)
        ended._end_activities()
        self.browse(row[0] for row in rows if row[1] == "disputed")._tell_of_former()

    def _tell_of_former(self):
        """Tell who handles these disputes that they are no longer the debtor's.

        Called with sudo.
        """
        for case in self:
            text = self.env._(
                "%(customer)s disputed this invoice: %(reason)s. It is %(other)s's now,"
                " so the dispute holds it no more. See what is still to be settled.",
                customer=case.debtor_id.display_name,
                reason=case.dispute_reason or "",
                other=case.move_id.commercial_partner_id.display_name,
            )
            case._note_on_invoices(text)
            title = self.env._("Dispute of a Former Customer")
            case._ask_person(title, text, case._find_dispute_user())

    def _find_dispute_user(self):
        """Return the user who handles this dispute, if they may still read it."""
        self.ensure_one()
        user = self.dispute_user_id
        if not user.active or self.company_id not in user.company_ids:
            return user.browse()
        mine = self.move_id.with_user(user).with_context(
            allowed_company_ids=self.company_id.ids
        )
        return user if mine.has_access("read") else user.browse()

    @api.model
    def _sweep(self, company):
        """Make up for what no hook told, at the beginning of every run."""
        self.env.flush_all()
        self._close_settled(SQL("c.company_id = %s", company.id))
        self._end_former(SQL("c.company_id = %s", company.id))
        # After a merge of customers the case takes its debtor from the invoice.
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_collection_case c
               SET debtor_id = m.commercial_partner_id, next_check_date = '1970-01-01'
              FROM account_move m
             WHERE c.company_id = %s AND c.state != 'done' AND m.id = c.move_id
               AND m.commercial_partner_id != c.debtor_id
            """,
            [company.id],
        )
        self._enrol(company)

    def _leave_plan(self):
        """Close what another plan, or none, is to take over; what was said is kept.

        Called with sudo; `_enrol` opens it again with the plan that counts now. What
        the customer promised or disputes, and a pause, hold there too; what a person
        had taken over is given to the plan.
        """
        self._withdraw_waiting("paused", by_hand=False)
        for state, cases in self.grouped("state").items():
            cases.write(
                {
                    "state": "done",
                    "close_reason": "no_plan",
                    "next_check_date": False,
                    "state_before": state in HOLDING and state,
                }
            )

    @api.model
    def _leave_misfits(self, plan):
        """Give what the plan's condition leaves out now to whichever plan fits.

        Called with sudo. What somebody chose the plan for stays, and so does all that
        the company's default has.
        """
        company = plan.company_id
        if plan == company.wab_plan_id:
            return
        self.env.flush_all()
        if not plan._is_condition_allowed():
            return
        rows = self.env.execute_query(
            SQL(
                """
                SELECT c.id FROM whatsapp_billing_collection_case c
                  JOIN account_move m ON m.id = c.move_id
                  JOIN res_partner d ON d.id = m.commercial_partner_id
                 WHERE c.plan_id = %(plan)s AND c.state != 'done'
                   AND %(chosen)s IS DISTINCT FROM c.plan_id
                   AND m.id NOT IN %(fitting)s
                """,
                plan=plan.id,
                chosen=self._chosen_sql(company),
                fitting=plan._find_fitting(),
            )
        )
        cases = self.browse(row[0] for row in rows)
        cases._leave_plan()
        cases.move_id._wab_sync_cases()

    def _follow_due_date(self):
        """Count as done what the new due date leaves behind. Called with sudo."""
        self._withdraw_waiting("superseded", by_hand=False)
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_collection_case c
               SET next_check_date = '1970-01-01',
                   last_step_days = (
                       SELECT max(s.days) FROM whatsapp_billing_collection_step s
                        WHERE s.plan_id = c.plan_id AND s.days <= c.last_step_days
                          AND l.date_maturity + s.days <= %s)
              FROM account_move_line l
             WHERE c.id = ANY(%s) AND l.id = c.move_line_id
            """,
            [fields.Date.context_today(self), self.ids],
        )
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_collection_case SET last_date = NULL
             WHERE id = ANY(%s) AND last_step_days IS NULL
            """,
            [self.ids],
        )
        self.invalidate_recordset(flush=False)

    # === BUSINESS METHODS - MESSAGES THAT WAIT === #

    def _withdraw_waiting(self, reason, by_hand=True):
        """Cancel reminders about these that have not left yet.

        One that reminds of something else too stays: the last look before the call
        takes out what is not to be named any more, and says the rest.

        :param by_hand: False for what only plans follow: they decide anew. Of what a
            person sent, the last look says whether it goes, and what goes instead.
        """
        if not self:
            return
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message m
                   SET state = 'canceled', reason = %s
                 WHERE m.state IN ('queued', 'held') AND m.direction = 'out'
                   AND m.document_type = 'payment_reminder' AND m.attempts = 0
                   AND (%s OR m.collection_plan_id IS NOT NULL)
                   AND m.id IN (
                       SELECT i.message_id FROM whatsapp_billing_collection_item i
                         JOIN whatsapp_billing_collection_case c
                           ON c.move_line_id = i.move_line_id
                        WHERE c.id = ANY(%s) AND i.role = 'due')
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_collection_item i
                         JOIN account_move_line l ON l.id = i.move_line_id
                    LEFT JOIN whatsapp_billing_collection_case c
                           ON c.move_line_id = i.move_line_id AND c.state != 'done'
                        WHERE i.message_id = m.id AND i.role = 'due'
                          AND l.reconciled IS NOT TRUE AND l.parent_state = 'posted'
                          AND i.move_line_id NOT IN (
                              SELECT move_line_id FROM whatsapp_billing_collection_case
                               WHERE id = ANY(%s))
                          AND COALESCE(c.state, 'active')
                              NOT IN ('paused', 'promised', 'disputed'))
             RETURNING m.id
                """,
                reason,
                by_hand,
                list(self.ids),
                list(self.ids),
            )
        )
        # sudo: whatsapp.billing.message - rows are written by the system only
        self.env["whatsapp.billing.message"].sudo().browse(
            row[0] for row in rows
        )._after_state_change()


def _only(moves):
    return SQL("TRUE") if moves is None else SQL("m.id = ANY(%s)", list(moves.ids))


def _next_step_sql(plan):
    """Return the step of a plan that is next for a line after what was done (`o`)."""
    return SQL(
        """
        SELECT s.id, s.days FROM whatsapp_billing_collection_step s
         WHERE s.plan_id = %s AND (o.last_date IS NULL OR s.days > o.last_step_days)
      ORDER BY s.days LIMIT 1
        """,
        plan.id,
    )
