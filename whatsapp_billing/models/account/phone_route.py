# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ... import const

# Vendors have one number, for utility: no offers are sent to them.
QUESTIONS = (
    ("customer", "utility"),
    ("customer", "marketing"),
    ("vendor", "utility"),
)


class WhatsappBillingPhoneRoute(models.Model):
    """Which number writes to whom about what: one answer per question and company."""

    _name = "whatsapp.billing.phone.route"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "WhatsApp Number to Write From"
    _order = "company_id, audience, category desc"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    audience = fields.Selection(const.AUDIENCES, required=True, default="customer")
    category = fields.Selection(
        [value for value in const.CATEGORIES if value[0] != "authentication"],
        required=True,
        default="utility",
    )
    phone_id = fields.Many2one(
        "whatsapp.billing.phone",
        string="Number",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('is_usable', '=', True), ('company_id', '=', company_id)]",
    )
    advice = fields.Char(compute="_compute_advice")

    _route_unique = models.UniqueIndex(
        "(company_id, audience, category)",
        "There is already a number for this audience and category.",
    )

    # === COMPUTE METHODS === #

    @api.depends("audience", "category")
    def _compute_display_name(self):
        names = {
            name: dict(self._fields[name]._description_selection(self.env))
            for name in ("audience", "category")
        }
        for route in self:
            route.display_name = " - ".join(
                names[name].get(route[name], "") for name in names
            )

    @api.depends("category", "phone_id", "company_id", "audience")
    def _compute_advice(self):
        """Say that complaints about marketing take the invoices down with them."""
        routes = self.search([("company_id", "in", self.company_id.ids)])
        utility = {
            (route.company_id.id, route.phone_id.id)
            for route in routes
            if route.category == "utility"
        }
        for route in self:
            shared = (
                route.category == "marketing"
                and (route.company_id.id, route.phone_id.id) in utility
            )
            route.advice = shared and self.env._(
                "People who report marketing as spam block your invoices too: use"
                " another number for it if you can."
            )

    # === CONSTRAINT METHODS === #

    @api.constrains("phone_id", "company_id")
    def _check_phone(self):
        for route in self:
            if not route.phone_id.is_verified:
                raise ValidationError(
                    self.env._(
                        "%(phone)s is not verified yet. Have a code sent to it and"
                        " enter the code, then choose it here.",
                        phone=route.phone_id.display_name,
                    )
                )
            if not route.phone_id.is_usable:
                raise ValidationError(
                    route.phone_id.problem
                    or self.env._(
                        "%(phone)s is not registered for sending. Open it, press"
                        " Register, then choose it here.",
                        phone=route.phone_id.display_name,
                    )
                )
            if route.phone_id.company_id != route.company_id:
                raise ValidationError(
                    self.env._(
                        "%(phone)s belongs to another company.",
                        phone=route.phone_id.display_name,
                    )
                )

    @api.constrains("audience", "category")
    def _check_vendor(self):
        for route in self:
            if (route.audience, route.category) not in QUESTIONS:
                raise ValidationError(
                    self.env._("Vendors have one number, for utility messages.")
                )

    # === BUSINESS METHODS === #

    @api.model
    def _make_defaults(self, account):
        """Answer every question with a number that can send, where nobody has."""
        usable = account.phone_ids.filtered("is_usable")
        if not usable:
            return
        routes = self.search([("company_id", "=", account.company_id.id)])
        routes.filtered(lambda route: not route.phone_id.is_usable).write(
            {"phone_id": usable[0].id}
        )
        answered = {(route.audience, route.category) for route in routes}
        self.create(
            [
                {
                    "company_id": account.company_id.id,
                    "audience": audience,
                    "category": category,
                    "phone_id": usable[0].id,
                }
                for audience, category in QUESTIONS
                if (audience, category) not in answered
            ]
        )
