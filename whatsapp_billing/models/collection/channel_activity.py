# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from dataclasses import dataclass

from markupsafe import Markup

from odoo import api, models
from odoo.tools.misc import format_amount, format_date

from .case_ledger_sync import STEP_ACTIVITY

# Invoices listed in the note: more than these are told by their number.
LISTED = 20


@dataclass(slots=True)
class PlannedActivity:
    """What a person is to do about one customer."""

    move: models.BaseModel
    step: models.BaseModel
    user: models.BaseModel
    will_be_queued: bool = True


class WhatsappBillingCollectionChannelActivity(models.AbstractModel):
    """An activity: a person calls, visits or writes to the customer.

    One for each customer and day, on the oldest of the invoices, naming all of them.
    Nobody's number, consent or template is asked for: it is what remains for customers
    who cannot be written to.
    """

    _name = "whatsapp.billing.collection.channel.activity"
    _inherit = ["whatsapp.billing.collection.channel"]
    _description = "Collection Steps by a Person"
    _figure = "activities"

    # === HOOKS === #

    @api.model
    def _prepare(self, company, ledger, drafts):
        steps = self.env["whatsapp.billing.collection.step"].browse(
            draft.reminder.step_id for draft in drafts
        )
        # Only what is asked for, in one query each: an invoice has a hundred fields.
        lean = self.with_company(company).with_context(prefetch_fields=False)
        moves = lean.env["account.move"].browse(draft.move_id for draft in drafts)
        debtors = lean.env["res.partner"].browse(
            draft.reminder.debtor_id for draft in drafts
        )
        moves.fetch(["invoice_user_id"])
        debtors.fetch(["user_id"])
        found = {}
        for draft, step, move, debtor in zip(
            drafts, steps, moves, debtors, strict=True
        ):
            after = step.plan_id.user_id | move.invoice_user_id | debtor.user_id
            asked = (step.user_id, after)
            if asked not in found:
                found[asked] = company._wab_find_able(
                    step.user_id
                ) or company._wab_get_responsible(after)
            draft.all_planned = [
                PlannedActivity(
                    self.env["account.move"].browse(move.id), step, found[asked]
                )
            ]

    @api.model
    def _carry_out(self, ledger, drafts, decisions):
        """Create the activities, in as many queries for one as for a thousand."""
        moves = self.env["account.move"].browse(draft.move_id for draft in drafts)
        # Their names, which Odoo would read one by one for the activities.
        moves.mapped("display_name")
        # Nobody gets an e-mail for each: they are in the list of whom they are for.
        activities = (
            self.env["mail.activity"]
            .with_context(mail_activity_quick_update=True)
            .create([self._get_values(draft) for draft in drafts])
        )
        for draft, activity in zip(drafts, activities, strict=True):
            draft.told = {"activity_id": activity.id, "user_id": activity.user_id.id}

    @api.model
    def _describe(self, day, draft):
        (planned,) = draft.all_planned
        plans = self.env["whatsapp.billing.collection.plan"]
        return [
            plans._describe_draft(day, draft)
            | {
                "user_id": planned.user.id or False,
                "user_name": planned.user.name or "",
                "summary": planned.step._get_activity_summary(),
            }
        ]

    @api.model
    def _describe_count(self, number):
        if number == 1:
            return self.env._("1 activity")
        return self.env._("%(n)s activities", n=number)

    # === BUSINESS METHODS === #

    @api.model
    def _get_values(self, draft):
        """Return the values of a draft's activity, in the language of whom it is for."""
        (planned,) = draft.all_planned
        step = planned.step.with_context(lang=planned.user.lang or self.env.lang)
        return {
            "res_model_id": self.env["ir.model"]._get_id("account.move"),
            "res_id": planned.move.id,
            "activity_type_id": step.activity_type_id.id,
            "summary": step._get_activity_summary(),
            "note": self.with_env(step.env)._get_note(draft, step),
            "date_deadline": draft.reminder.day,
            "user_id": planned.user.id,
            "automated": True,
            "wab_reason": STEP_ACTIVITY,
        }

    @api.model
    def _get_note(self, draft, step):
        """Return what it is about: why, each invoice with what is open of it, the sum."""
        currencies = self.env["res.currency"]
        owed = [entry for entry in draft.entries if not entry.is_credit]
        lines = [
            self.env._(
                "%(invoice)s, due %(date)s: %(amount)s",
                invoice=entry.name,
                date=format_date(self.env, entry.due),
                amount=format_amount(
                    self.env, entry.amount, currencies.browse(entry.currency_id)
                ),
            )
            for entry in owed[:LISTED]
        ]
        if len(owed) > LISTED:
            lines.append(self.env._("and %(n)s more", n=len(owed) - LISTED))
        if len(draft.entries) > 1:
            lines.append(self._describe_sum(draft))
        items = Markup().join(Markup("<li>%s</li>") % line for line in lines)
        return Markup("<p>%s</p><ul>%s</ul>") % (step._get_activity_text(), items)

    @api.model
    def _describe_sum(self, draft):
        """Return what is owed in all, in words, by currency."""
        totals = self.env["whatsapp.billing.collection.plan"]._sum(draft)
        amounts = " + ".join(
            format_amount(self.env, amount, currency) for currency, amount in totals
        )
        if len(draft.reminder.credit_ids):
            return self.env._(
                "In all, credit notes and payments on account deducted: %(amount)s",
                amount=amounts,
            )
        return self.env._("In all: %(amount)s", amount=amounts)
