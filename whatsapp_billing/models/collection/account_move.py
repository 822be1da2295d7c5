# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from .case_truth import CLEARED, SALES
from .template_debtor import OpenLine

_logger = logging.getLogger(__name__)

# Of several instalments the one that needs most attention speaks for the invoice.
STATES = ("disputed", "escalated", "promised", "paused", "active", "done")


class AccountMove(models.Model):
    _inherit = "account.move"

    wab_plan_choice = fields.Selection(
        [("plan", "A plan of its own"), ("none", "No reminders")],
        string="Reminders",
        copy=False,
        help="Empty: as set on the customer, else the plan that fits.",
    )
    wab_plan_id = fields.Many2one(
        "whatsapp.billing.collection.plan",
        string="Collection Plan",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
    )
    wab_case_ids = fields.One2many(
        "whatsapp.billing.collection.case",
        "move_id",
        string="Collection Cases",
        groups="whatsapp_billing.group_user",
        copy=False,
    )
    wab_collection_state = fields.Selection(
        selection=lambda self: (
            self.env["whatsapp.billing.collection.case"]
            ._fields["state"]
            ._description_selection(self.env)
        ),
        string="Reminders Are",
        compute="_compute_wab_collection_state",
        search="_search_wab_collection_state",
        groups="whatsapp_billing.group_user",
    )

    # === COMPUTE METHODS === #

    @api.depends("wab_case_ids.state")
    def _compute_wab_collection_state(self):
        found = defaultdict(set)
        # sudo: whatsapp.billing.collection.case - for whoever may read the invoice
        for move, state in (
            self.env["whatsapp.billing.collection.case"]
            .sudo()
            ._read_group([("move_id", "in", self.ids)], ["move_id", "state"])
        ):
            found[move.id].add(state)
        for move in self:
            states = found.get(move._origin.id or move.id, ())
            move.wab_collection_state = next((s for s in STATES if s in states), False)

    def _search_wab_collection_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        ranks = SQL(" ").join(
            SQL("WHEN %s THEN %s", state, rank) for rank, state in enumerate(STATES)
        )
        wanted = [STATES.index(state) for state in value if state in STATES]
        matching = SQL(
            """
            SELECT move_id FROM whatsapp_billing_collection_case GROUP BY move_id
            HAVING min(CASE state %s END) = ANY(%s)
            """,
            ranks,
            wanted,
        )
        domain = [("id", "in", matching)]
        if False in value:
            anything = SQL("SELECT move_id FROM whatsapp_billing_collection_case")
            domain = ["|", ("id", "not in", anything), *domain]
        return domain

    # === CRUD METHODS === #

    def write(self, vals):
        """Follow the choice of a plan, and a due date that was moved."""
        result = super().write(vals)
        if {"wab_plan_choice", "wab_plan_id"} & vals.keys():
            self._wab_safely(self._wab_change_plan)
        return result

    # === ACTION METHODS === #

    def button_cancel(self):
        """Override of `account` to close the cases."""
        result = super().button_cancel()
        self._wab_follow()
        return result

    def button_draft(self):
        """Override of `account` to close the cases."""
        result = super().button_draft()
        self._wab_follow()
        return result

    # === BUSINESS METHODS === #

    def _post(self, soft=True):
        """Override of `account` to open cases for what is now to be paid."""
        posted = super()._post(soft=soft)
        posted._wab_follow()
        return posted

    def wab_remind(self, template=False, key=False):
        """Remind of these invoices on WhatsApp, whatever their plans say.

        A person's decision: neither due date nor steps are asked. What is paid,
        disputed, paused or not allowed stays unsaid and comes back with its reason. A
        plan sends nothing more to that customer on the same day.

        :param template: id, xml id or `template_name:lang_code`; left out, the default
            for payment reminders in each recipient's language
        :param str key: at most 64 characters; a repeat with the same key returns the
            first result and does nothing
        :return: list of dictionaries as `wab_send`
        :raise AccessError: when the user may not read the documents or not send
        """
        results = self._wab_enqueue(
            self._wab_get_recipients(),
            "wab_remind",
            template,
            key,
            explicit=True,
            is_reminder=True,
            purpose="collections",
        )
        self._wab_note_reminders(
            [r["message_id"] for r in results if r["state"] in ("queued", "held")]
        )
        return results

    def _wab_document_facts(self):
        """Add what holds a reminder: a pause, a promise, a dispute."""
        facts = super()._wab_document_facts()
        state = self.sudo().wab_collection_state
        return facts | {
            "paused": state in ("paused", "promised"),
            "disputed": state == "disputed",
        }

    def _wab_note_reminders(self, message_ids):
        """Keep what reminders by hand were about, and take the customers' day.

        A message that was noted before (a call repeated with its key) takes none.
        """
        if not message_ids:
            return
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO whatsapp_billing_collection_item
                   (message_id, move_line_id, case_id, role, amount, due_date,
                    create_date)
            SELECT g.id, l.id, c.id, 'due', l.amount_residual_currency,
                   l.date_maturity, now() at time zone 'utc'
              FROM whatsapp_billing_message g
              JOIN account_move_line l ON l.move_id = g.res_id
              JOIN account_account a ON a.id = l.account_id
         LEFT JOIN whatsapp_billing_collection_case c
                ON c.move_line_id = l.id AND c.state != 'done'
             WHERE g.id = ANY(%(ids)s) AND g.res_model = 'account.move'
               AND a.account_type = 'asset_receivable' AND l.reconciled IS NOT TRUE
               AND NOT EXISTS (SELECT 1 FROM whatsapp_billing_collection_item i
                                WHERE i.message_id = g.id)
         RETURNING message_id
            """,
            {"ids": list(message_ids)},
        )
        noted = [row[0] for row in self.env.cr.fetchall()]
        messages = self.env["whatsapp.billing.message"].browse(message_ids)
        messages.invalidate_recordset(["collection_item_ids"], flush=False)
        self.env.cr.execute(
            """
            INSERT INTO whatsapp_billing_collection_claim
                   (company_id, debtor_id, day, create_uid, create_date)
            SELECT DISTINCT m.company_id, m.commercial_partner_id, %s::date, %s,
                   now() at time zone 'utc'
              FROM whatsapp_billing_message g
              JOIN account_move m ON m.id = g.res_id
             WHERE g.id = ANY(%s) ON CONFLICT DO NOTHING
            """,
            [fields.Date.context_today(self), self.env.uid, noted],
        )

    def _wab_open_lines(self):
        """Return what is open on this invoice, instalment by instalment."""
        self.ensure_one()
        if self.payment_state in CLEARED:
            return []
        lines = self.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        return [
            OpenLine(
                line.id,
                self.name or "",
                line.date_maturity,
                line.amount_residual_currency,
                line.currency_id.id,
            )
            for line in lines.sorted(lambda line: (str(line.date_maturity), line.id))
        ]

    def _wab_follow(self):
        """Have the cases follow what has just happened in the books."""
        sales = self.filtered(lambda move: move.move_type in SALES)
        if sales:
            # sudo: whatsapp.billing.collection.case - kept by the system
            cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
            sales._wab_safely(lambda: cases_sudo._sync(sales.sudo()))

    def _wab_safely(self, do):
        """Run our part of an accounting operation; never stop or undo it (design 6)."""
        try:
            with self.env.cr.savepoint():
                do()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            # Whatever went wrong on our side: the books come first, and the nightly
            # run makes up for it.
            _logger.exception("Collection of %s could not follow", self.ids)
            for move in self.exists():
                move._message_log(
                    body=self.env._(
                        "The payment reminders could not follow this change; they"
                        " will with the next nightly run."
                    )
                )

    def _wab_change_plan(self):
        """Move running cases to the plan that is chosen now."""
        # sudo: whatsapp.billing.collection.case - kept by the system
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        cases_sudo.search(
            [("move_id", "in", self.ids), ("state", "!=", "done")]
        )._leave_plan()
        self._wab_follow()
