# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Reminders by hand: who is reminded of several invoices gets one message."""

from collections import defaultdict
from dataclasses import dataclass, replace

from odoo import api, models

from ...rules import eligibility, languages
from ..common.ledger import HOLDS
from ..common.send_request import Target
from .template_statement import CONTEXT

# What keeps an invoice's own text from going says nothing about a joint one's.
ALONE = {
    "no_template",
    "template_not_approved",
    "template_unsupported",
    "bad_parameter",
}


@dataclass(slots=True)
class _Joint:
    """One message about several invoices, as `_render_reminders` fills it in."""

    targets: list[Target]
    entries: list


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    @api.model
    def _decide(self, records, recipients, document_types, order, render=True):
        """Read in bulk what holds reminders by hand, and what they are about."""
        if order.is_reminder and not order.by_plan and records:
            records = records.with_context(
                **{
                    HOLDS: records._wab_read_holds(),
                    CONTEXT: records._wab_reminded_lines(),
                }
            )
        return super()._decide(records, recipients, document_types, order, render)

    @api.model
    def _merge(self, targets, order, render):
        """Have one message name all invoices of a customer, where a template can.

        The oldest invoice carries it, the others are `covered`. With a caller's key
        each stays a message of its own: a repeat must find every invoice's result.
        """
        targets = super()._merge(targets, order, render)
        if not order.is_reminder or order.by_plan or order.key:
            return targets
        groups = defaultdict(list)
        for target in targets:
            if target.may_go or target.decision.reason in ALONE:
                debtor = target.record.commercial_partner_id
                groups[target.partner, target.company, debtor].append(target)
        joints = self._make_joints(groups.values(), order)
        if render:
            self._render_reminders(joints)
        merged, covered = {}, set()
        for joint in joints:
            (target,) = joint.targets
            target.decision = eligibility.decide(self._facts(target, order))
            if target.may_go:
                merged[target.record.id, target.partner.id] = target
                covered.update(
                    (one.record.id, one.partner.id) for one in target.covered
                )
        return [
            merged.get(name, target)
            for target in targets
            for name in ((target.record.id, target.partner.id),)
            if name not in covered
        ]

    @api.model
    def _make_joints(self, groups, order):
        cache, joints = {}, []
        for group in groups:
            if len(group) < 2:
                continue
            group.sort(key=lambda t: (str(t.record.invoice_date_due), t.record.id))
            template = self._find_joint_template(group[0], order, cache)
            if not template:
                continue
            target = replace(group[0], template=template, covered=group[1:])
            target.account, target.phone, target.account_state = self._find_route(
                target.company, target, target.account, cache
            )
            groups = group[0].record.env.context[CONTEXT]
            entries = [e for one in group for e in groups[one.record.id]]
            joints.append(_Joint([target], entries))
        return joints

    @api.model
    def _find_joint_template(self, target, order, cache):
        """Return a template that can name several invoices, None where none can."""
        if order.template:
            return target.template if target.template._is_for_many() else None
        name = (target.company.id, target.account.id, target.partner.lang)
        if name not in cache:
            langs = languages.candidates(
                target.partner.lang or "", target.company.partner_id.lang or ""
            )
            no_step = self.env["whatsapp.billing.collection.step"]
            cache[name] = target.template._find_reminder(
                no_step, target.account, langs, many=True
            )
        return cache[name]
