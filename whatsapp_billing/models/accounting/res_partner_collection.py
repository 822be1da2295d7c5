# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The plan of a customer and of a company, and in which time zone a customer lives."""

from functools import lru_cache

import pytz

from odoo import api, fields, models

from ...rules import numbers, time_zones


def zone_of_country(country, number, proposed=None):
    """Return the time zone of somebody in a country, None where nothing tells.

    :param country: ISO code; empty: the number's
    :param number: in E.164, "" where it is not known
    :param proposed: what somebody else's clock suggests
    """
    country = country or numbers.country_of(number)
    return time_zones.choose(zones_of(country), number, proposed)


@lru_cache(maxsize=512)
def zones_of(country):
    """Return the time zones of a country, the one of most people first."""
    return tuple(pytz.country_timezones.get(country or "") or ())


class ResPartner(models.Model):
    _inherit = "res.partner"

    wab_plan_choice = fields.Selection(
        [("plan", "A plan of their own"), ("none", "No reminders")],
        string="Reminders",
        company_dependent=True,
        copy=False,
        help="Empty: the plan that fits the invoice, else the company's.",
    )
    wab_plan_id = fields.Many2one(
        "whatsapp.billing.collection.plan",
        string="Collection Plan",
        company_dependent=True,
        copy=False,
    )
    wab_case_ids = fields.One2many(
        "whatsapp.billing.collection.case",
        "debtor_id",
        string="Collection Cases",
        groups="whatsapp_billing.group_user",
    )

    @api.constrains("wab_plan_id")
    def _check_wab_plan(self):
        """Refuse a plan that is another company's, or that its chooser may not read.

        What a company chooses stands with the company, on a contact that all share.
        """
        self.wab_plan_id._check_may_choose(self.env.company)

    def write(self, vals):
        """Follow the choice of a plan for the customer's open invoices."""
        result = super().write(vals)
        if {"wab_plan_choice", "wab_plan_id"} & vals.keys():
            # sudo: whatsapp.billing.collection.case - kept by the system
            cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
            cases = cases_sudo.search(
                [
                    ("debtor_id", "in", self.ids),
                    ("state", "!=", "done"),
                    ("company_id", "=", self.env.company.id),
                ]
            )
            moves = cases.move_id
            cases._leave_plan()
            moves._wab_sync_cases()
        return result


class ResCompany(models.Model):
    _inherit = "res.company"

    wab_plan_id = fields.Many2one(
        "whatsapp.billing.collection.plan",
        string="Default Collection Plan",
        help="For invoices that fit no other plan.",
    )
    wab_auto_receipt = fields.Boolean(
        string="Automatic Receipts",
        help="A receipt goes out on WhatsApp when a customer's payment is posted or an"
        " online payment is done.",
    )

    # === BUSINESS METHODS === #

    def _wab_time_zone(self):
        """Return the time zone of a company, False where nothing tells.

        That of its contact; else of its country, in a large one of the area of its
        number, else the country's first.
        """
        self.ensure_one()
        partner = self.partner_id
        return partner.tz or zone_of_country(
            self.country_id.code, partner.wab_recipient or ""
        )
