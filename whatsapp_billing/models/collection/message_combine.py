# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Reminders by hand: who is reminded of several invoices gets one message."""

from collections import defaultdict
from dataclasses import dataclass, replace

from odoo import api, models

from ...rules import eligibility, languages
from ..common.ledger import HOLDS
from ..common.send_request import PlannedMessage
from .template_statement import CONTEXT

# Reasons against an invoice's own message that a combined one, with another template,
# may not have.
ALONE = {
    "no_template",
    "template_not_approved",
    "template_unsupported",
    "bad_parameter",
}


@dataclass(slots=True)
class CombinedReminder:
    """One message about several invoices, as `_render_reminders` fills it in."""

    all_planned: list[PlannedMessage]
    entries: list


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    @api.model
    def _decide(self, records, recipients, document_types, send_request, render=True):
        """Read in bulk what holds reminders by hand, and what they are about."""
        if send_request.is_reminder and not send_request.by_plan and records:
            records = records.with_context(
                **{
                    HOLDS: records._wab_read_holds(),
                    CONTEXT: records._wab_reminded_lines(),
                }
            )
        return super()._decide(
            records, recipients, document_types, send_request, render
        )

    @api.model
    def _combine_by_customer(self, all_planned, send_request, render):
        """Have one message name all invoices of a customer, where a template can.

        The oldest invoice carries it, the others are `also_about`. With a caller's key
        each stays a message of its own: a repeat must find every invoice's result.
        """
        all_planned = super()._combine_by_customer(all_planned, send_request, render)
        if not send_request.is_reminder or send_request.by_plan or send_request.key:
            return all_planned
        groups = defaultdict(list)
        for planned in all_planned:
            if planned.will_be_queued or planned.decision.reason in ALONE:
                debtor = planned.record.commercial_partner_id
                groups[planned.partner, planned.company, debtor].append(planned)
        joints = self._make_joints(groups.values(), send_request)
        if render:
            self._render_reminders(joints)
        merged, also_about = {}, set()
        for joint in joints:
            (planned,) = joint.all_planned
            planned.decision = eligibility.decide(self._facts(planned, send_request))
            if planned.will_be_queued:
                merged[planned.record.id, planned.partner.id] = planned
                also_about.update(
                    (one.record.id, one.partner.id) for one in planned.also_about
                )
        return [
            merged.get(name, planned)
            for planned in all_planned
            for name in ((planned.record.id, planned.partner.id),)
            if name not in also_about
        ]

    @api.model
    def _make_joints(self, groups, send_request):
        cache, joints = {}, []
        for group in groups:
            if len(group) < 2:
                continue
            group.sort(key=lambda t: (str(t.record.invoice_date_due), t.record.id))
            template = self._find_joint_template(group[0], send_request, cache)
            if not template:
                continue
            planned = replace(group[0], template=template, also_about=group[1:])
            planned.account, planned.phone, planned.account_state = self._find_route(
                planned.company, planned, planned.account, cache
            )
            groups = group[0].record.env.context[CONTEXT]
            entries = [e for one in group for e in groups[one.record.id]]
            joints.append(CombinedReminder([planned], entries))
        return joints

    @api.model
    def _find_joint_template(self, planned, send_request, cache):
        """Return a template that can name several invoices, None where none can."""
        if send_request.template:
            return planned.template if planned.template._is_for_many() else None
        name = (planned.company.id, planned.account.id, planned.partner.lang)
        if name not in cache:
            langs = languages.candidates(
                planned.partner.lang or "", planned.company.partner_id.lang or ""
            )
            no_step = self.env["whatsapp.billing.collection.step"]
            cache[name] = planned.template._reminder_template(
                no_step, planned.account, langs, many=True
            )
        return cache[name]
