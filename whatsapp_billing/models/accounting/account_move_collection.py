# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Invoices and reminders: their plan, their cases, reminding by hand.

Posting, paying and correcting end in `_wab_sync_cases`, which has the cases follow.
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...const import REMINDABLE_MOVES
from ..common import call_arguments
from ..common.ledger import CLEARED, HOLDS, OpenLine
from ..document.document_mixin import about_columns_sql

# States of cases, by how much attention they need: of an invoice's instalments the
# first in this order gives the invoice its state.
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
    wab_mentioned_in_ids = fields.Many2many(
        "whatsapp.billing.message",
        string="Named Among Others",
        compute="_compute_wab_mentioned_in_ids",
        groups="whatsapp_billing.group_user",
        help="Reminders of several invoices of the customer that name this one.",
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

    @api.depends("line_ids.wab_item_ids")
    def _compute_wab_mentioned_in_ids(self):
        for move in self:
            items = move.line_ids.wab_item_ids
            named = items.filtered(lambda item: item.role != "credit").message_id
            move.wab_mentioned_in_ids = named.filtered(
                lambda message, move=move: message.res_id != move._origin.id
            ).sorted("id", reverse=True)

    @api.depends("wab_case_ids.state", "wab_case_ids.close_reason")
    def _compute_wab_collection_state(self):
        found = defaultdict(set)
        # sudo: whatsapp.billing.collection.case - for whoever may read the invoice
        for move, state in (
            self.env["whatsapp.billing.collection.case"]
            .sudo()
            ._read_group(
                [
                    ("move_id", "in", self.ids),
                    ("close_reason", "!=", "other_customer"),
                ],
                ["move_id", "state"],
            )
        ):
            found[move.id].add(state)
        for move in self:
            states = found.get(move._origin.id or move.id, ())
            move.wab_collection_state = next((s for s in STATES if s in states), False)

    def _search_wab_collection_state(self, operator, value):
        self._check_field_access(self._fields["wab_collection_state"], "read")
        if operator != "in":
            return NotImplemented
        ranks = SQL(" ").join(
            SQL("WHEN %s THEN %s", state, rank) for rank, state in enumerate(STATES)
        )
        wanted = [STATES.index(state) for state in value if state in STATES]
        matching = SQL(
            """
            SELECT move_id FROM whatsapp_billing_collection_case
             WHERE close_reason IS DISTINCT FROM 'other_customer' GROUP BY move_id
            HAVING min(CASE state %s END) = ANY(%s)
            """,
            ranks,
            wanted,
        )
        domain = [("id", "in", matching)]
        if False in value:
            anything = SQL(
                "SELECT move_id FROM whatsapp_billing_collection_case"
                " WHERE close_reason IS DISTINCT FROM 'other_customer'"
            )
            domain = ["|", ("id", "not in", anything), *domain]
        return domain

    @api.model
    def _wab_about_sql(self):
        """Add the reminders that name these among other invoices of a customer."""
        return SQL(
            """
            %s UNION
            SELECT l.move_id, %s
              FROM whatsapp_billing_collection_item i
              JOIN account_move_line l ON l.id = i.move_line_id
              JOIN whatsapp_billing_message m ON m.id = i.message_id
             WHERE i.role != 'credit' AND m.company_id = ANY(%s)
            """,
            super()._wab_about_sql(),
            about_columns_sql(),
            self.env.companies.ids,
        )

    # === CONSTRAINT METHODS === #

    def _check_company(self, fnames=None):
        """Override: a plan that its chooser may not read is refused without its name."""
        if not self.env.su and (fnames is None or "wab_plan_id" in fnames):
            self.wab_plan_id.check_access("read")
        return super()._check_company(fnames)

    # === CRUD METHODS === #

    def write(self, vals):
        """Follow the choice of a plan, and a due date that was moved."""
        result = super().write(vals)
        if {"wab_plan_choice", "wab_plan_id"} & vals.keys():
            self._wab_in_savepoint_or_note(self._wab_change_plan)
        return result

    # === ACTION METHODS === #

    def button_cancel(self):
        """Override of `account` to close the cases."""
        result = super().button_cancel()
        self._wab_sync_cases()
        return result

    def button_draft(self):
        """Override of `account` to close the cases."""
        result = super().button_draft()
        self._wab_sync_cases()
        return result

    # === BUSINESS METHODS === #

    def _post(self, soft=True):
        """Override of `account` to open cases for what is now to be paid."""
        posted = super()._post(soft=soft)
        posted._wab_sync_cases()
        return posted

    def wab_remind(self, template=False, key=False):
        """Remind of these invoices on WhatsApp, whatever their plans say.

        A customer with several gets one message that names them all, where an approved
        template can; their results then have the same `message_id`. With a key each
        invoice is a message of its own, so that a repeat finds every one's result.

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
        call_arguments.check_records(self)
        results = self._wab_enqueue(
            self._wab_get_recipients(),
            "wab_remind",
            template,
            key,
            explicit=True,
            is_reminder=True,
            purpose="collections",
        )
        self._wab_note_reminders(results)
        return results

    def _wab_hold_facts(self):
        """Return what holds a reminder: a pause, a promise, a dispute."""
        # sudo: account.move - its case's state, for whoever may send the reminder
        state = self.sudo().wab_collection_state
        facts = super()._wab_hold_facts() | {
            "paused": state in ("paused", "promised"),
            "disputed": state == "disputed",
        }
        # Whoever asks about several invoices has read them in bulk into the context.
        known = self.env.context.get(HOLDS) or self._wab_read_holds()
        return facts | known.get(self.id, {})

    def _wab_read_holds(self):
        """Return {move id: facts} on what Odoo's flag and the money say of reminders.

        A fixed number of queries. An invoice is held when all that it would be
        reminded of is.
        """
        # sudo: whatsapp.billing.collection.case - payments and the bank are looked at
        # for whoever may read the invoices
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        groups = self._wab_reminded_lines()
        pending = cases_sudo._read_pending_transactions(self.ids)
        by_company = defaultdict(list)
        for move in self:
            by_company[move.company_id] += [e.line_id for e in groups[move.id]]
        matches = set()
        for company, line_ids in by_company.items():
            if line_ids:
                matches |= cases_sudo._read_bank_matches(company, line_ids)
        return {
            move.id: {
                "no_followup": bool(open_lines)
                and all(line.no_followup for line in open_lines),
                "payment_pending": move.id in pending,
                "bank_match": bool(groups[move.id])
                and all(entry.line_id in matches for entry in groups[move.id]),
            }
            for move in self
            for open_lines in (move._wab_receivables(),)
        }

    def _wab_receivables(self):
        """Return the lines on which something is open, the oldest first."""
        if self.payment_state in CLEARED:
            return self.line_ids.browse()
        return self.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).sorted(lambda line: (str(line.date_maturity), line.id))

    def _wab_reminded_lines(self):
        """Return {move id: [OpenLine]} of what a reminder by hand is about.

        The instalments that are due where the customer is, all of them; before any is,
        the next one. As on the invoice's page, where the button leads.
        """
        # sudo: whatsapp.billing.collection.case - for whoever may read the invoices
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        cases_sudo._flush_books()
        amounts = cases_sudo._read_open_amounts(self.ids)
        days = self._wab_days()
        return {
            move.id: _due_now(move._wab_open_lines(amounts), days[move.id])
            for move in self
        }

    def _wab_days(self):
        """Return {move id: which day it is where the customer is}."""
        # sudo: whatsapp.billing.collection.plan - only reads where the customers are
        plans = self.env["whatsapp.billing.collection.plan"].sudo()
        days = {}
        for company, moves in self.grouped("company_id").items():
            mine = plans._read_local_days(company, moves.commercial_partner_id.ids)
            for move in moves:
                days[move.id] = mine.get(move.commercial_partner_id.id)
        return days

    @api.model
    def _wab_note_reminders(self, results):
        """Keep what reminders by hand were about, and take the customers' day.

        A message that was noted before (a call repeated with its key) takes none.

        :param results: dictionaries as `wab_remind` returns them
        """
        going = [r for r in results if r["state"] in ("queued", "held")]
        if not going:
            return
        message_ids = [result["message_id"] for result in going]
        moves = self.browse([result["id"] for result in going])
        groups = moves.union()._wab_reminded_lines()
        said = [
            (result["message_id"], entry.line_id, entry.amount, entry.due)
            for result in going
            for entry in groups[result["id"]]
        ]
        self.env.flush_all()
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            INSERT INTO whatsapp_billing_collection_item
                   (message_id, move_line_id, role, amount, due_date, create_date)
            SELECT g.message_id, g.line_id, 'due', g.amount, g.due, %s
              FROM unnest(%s::int[], %s::int[], %s::numeric[], %s::date[])
                   AS g (message_id, line_id, amount, due)
             WHERE NOT EXISTS (SELECT 1 FROM whatsapp_billing_collection_item i
                                WHERE i.message_id = g.message_id
                                  AND i.move_line_id = g.line_id)
          ORDER BY g.due, g.line_id
         RETURNING message_id
            """,
            [now, *([row[at] for row in said] for at in range(4))],
        )
        noted = {row[0] for row in self.env.cr.fetchall()}
        first = {r["id"]: r["message_id"] for r in reversed(going)}
        move_ids = [move for move, message in first.items() if message in noted]
        messages = self.env["whatsapp.billing.message"].browse(message_ids)
        messages.invalidate_recordset(["collection_item_ids"], flush=False)
        days = self.browse(move_ids)._wab_days()
        self.env.cr.execute(
            """
            INSERT INTO whatsapp_billing_collection_followup
                   (company_id, debtor_id, day, channel, message_id, user_id,
                    create_uid, create_date)
            SELECT DISTINCT ON (m.company_id, m.commercial_partner_id, d.day)
                   m.company_id, m.commercial_partner_id, d.day, 'whatsapp',
                   d.message_id, %(user)s, %(user)s, %(now)s::timestamp
              FROM unnest(%(moves)s::int[], %(days)s::date[], %(messages)s::int[])
                   AS d (move_id, day, message_id)
              JOIN account_move m ON m.id = d.move_id
          ORDER BY m.company_id, m.commercial_partner_id, d.day, d.message_id
                ON CONFLICT DO NOTHING
            """,
            {
                "user": self.env.uid,
                "now": now,
                "moves": list(days),
                "days": list(days.values()),
                "messages": [first[move_id] for move_id in days],
            },
        )

    def _wab_message_domain(self):
        """Add the reminders that name this invoice among others."""
        named = [("move_line_id.move_id", "=", self.id), ("role", "!=", "credit")]
        return [
            "|",
            ("collection_item_ids", "any", named),
            *Domain(super()._wab_message_domain()),
        ]

    def _wab_open_lines(self, amounts=None):
        """Return what is open on this invoice, instalment by instalment.

        Without what Odoo is told not to follow up.

        :param amounts: {line id: open} where payments are not in the books yet
        """
        self.ensure_one()
        amounts = amounts or {}
        entries = [
            OpenLine(
                line.id,
                self.name or "",
                line.date_maturity,
                amounts.get(line.id, line.amount_residual_currency),
                line.currency_id.id,
            )
            for line in self._wab_receivables()
            if not line.no_followup
        ]
        return [entry for entry in entries if entry.amount > 0]

    def _wab_sync_cases(self):
        """Have the cases follow what has just happened in the books."""
        sales = self.filtered(lambda move: move.move_type in REMINDABLE_MOVES)
        if sales:
            # sudo: whatsapp.billing.collection.case - kept by the system
            cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
            sales._wab_in_savepoint_or_note(lambda: cases_sudo._sync(sales.sudo()))

    def _wab_in_savepoint_or_note(self, do):
        """As `_wab_in_savepoint`; a line says that the nightly run makes up for it."""
        if self._wab_in_savepoint(do):
            return
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
        self._wab_sync_cases()


def _due_now(entries, today):
    """Return the entries that are due on a day; before any is, the next one."""
    due = [entry for entry in entries if not entry.due or entry.due <= today]
    return due or [entry for entry in entries if entry.due == entries[0].due]
