# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models

from ...rules import traces
from ..common import sql_bulk
from ..common.send_request import SendRequest

ITEM = "whatsapp.billing.collection.item"
REQUEST = SendRequest(
    method="collections", purpose="collections", is_reminder=True, by_plan=True
)


class WhatsappBillingCollectionChannelWhatsapp(models.AbstractModel):
    """A message to each of the customer's recipients."""

    _name = "whatsapp.billing.collection.channel.whatsapp"
    _inherit = ["whatsapp.billing.collection.channel"]
    _description = "Collection Steps on WhatsApp"
    _figure = "messages"

    # === HOOKS === #

    @api.model
    def _prepare(self, company, ledger, drafts):
        for draft in drafts:
            draft.leave_out(
                {
                    entry.line_id
                    for entry in draft.entries
                    if not entry.is_credit and ledger.is_off(entry.line_id)
                }
            )
        messages = self.env["whatsapp.billing.message"]
        messages._compose_reminders(company, drafts, REQUEST)

    @api.model
    def _carry_out(self, ledger, drafts, decisions):
        """Insert the messages and what they are about."""
        all_planned = [
            planned
            for draft in drafts
            for planned in self._complete(draft, decisions[draft.line_ids[0]].trace)
        ]
        messages = self.env["whatsapp.billing.message"]._create_rows(
            all_planned, REQUEST
        )
        items, ids = [], iter(messages._ids)
        for draft in drafts:
            mine = [next(ids) for _planned in draft.all_planned]
            for message_id in mine:
                items += _items(ledger, decisions, draft, message_id)
            draft.told = {"message_id": mine[0]}
        item_ids = sql_bulk.new_ids(self.env, ITEM, len(items))
        for item_id, item in zip(item_ids, items, strict=True):
            item["id"] = item_id
        sql_bulk.insert(self.env, ITEM, items, False)
        messages.invalidate_recordset(["collection_item_ids"], flush=False)

    @api.model
    def _describe(self, day, draft):
        plans = self.env["whatsapp.billing.collection.plan"]
        common = plans._describe_draft(day, draft)
        return [
            common
            | {
                "partner_id": planned.partner.id or False,
                "recipient": planned.partner.wab_recipient or "",
                "template_id": planned.template.id or False,
                "category": planned.template.category or False,
                "lang_code": planned.template.lang_code or "",
                "body": planned.rendered.get("text") or "",
                "reason": planned.decision.reason or False,
                "detail": plans._describe_reason(planned.decision.reason),
            }
            for planned in draft.all_planned
        ]

    @api.model
    def _describe_count(self, number):
        if number == 1:
            return self.env._("1 message queued")
        return self.env._("%(n)s messages queued", n=number)

    @api.model
    def _get_template_problem(self, step):
        return step._get_template_problem()

    # === BUSINESS METHODS === #

    @api.model
    def _complete(self, draft, trace):
        """Return what the draft plans, with what only the plan knows."""
        reminder = draft.reminder
        now = fields.Datetime.now()
        for planned in draft.all_planned:
            planned.decision = planned.decision._replace(
                trace=[*trace, *planned.decision.trace]
            )
            planned.more = {
                "collection_plan_id": reminder.plan_id,
                "collection_step_id": reminder.step_id,
                "next_attempt_at": now + reminder.delay
                if reminder.delay > timedelta()
                else None,
            }
        return draft.all_planned


def _items(ledger, decisions, draft, message_id):
    """Return what one message is about, line by line."""
    due = set(draft.reminder.line_ids)
    base = decisions[draft.line_ids[0]].trace
    items = []
    for entry in draft.entries:
        row = ledger.rows.get(entry.line_id)
        role = (
            "credit" if entry.is_credit else "due" if entry.line_id in due else "also"
        )
        items.append(
            {
                "message_id": message_id,
                "move_line_id": entry.line_id,
                "days": decisions[entry.line_id].days if row else None,
                "role": role,
                "amount": entry.amount,
                "due_date": entry.due,
                "previous_days": row["last_step_days"] if row else None,
                "previous_date": row["last_date"] if row else None,
                "trace_data": traces.pack_beside(base, decisions[entry.line_id].trace)
                if row
                else None,
            }
        )
    return items
