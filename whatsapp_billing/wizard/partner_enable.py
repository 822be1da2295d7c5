# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..models.accounting.res_partner import ENABLED_PURPOSES, MAX_EVIDENCE

RANKS = {"customer": "customer_rank", "vendor": "supplier_rank"}
RESULTS = [
    ("enabled", "Switched on"),
    ("already", "On before"),
    ("opted_out", "Opted out"),
    ("no_number", "No number"),
    ("no_plus", "Number without +"),
    ("invalid_number", "Invalid number"),
]


class WhatsappBillingPartnerEnable(models.TransientModel):
    """Switch WhatsApp on for many contacts, and say who was left out and why.

    Set-based: as many queries for five contacts as for five thousand.
    """

    _name = "whatsapp.billing.partner.enable"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Switch On WhatsApp for Many Contacts"

    res_ids = fields.Json(readonly=True, help="Selected contacts; empty: all.")
    is_selection = fields.Boolean(compute="_compute_is_selection")
    audience = fields.Selection(
        [("customer", "Customers"), ("vendor", "Vendors")],
        string="For",
        required=True,
        default="customer",
    )
    scope = fields.Selection(
        [("main", "Main contacts only"), ("persons", "Contact persons too")],
        string="Who",
        required=True,
        default="main",
    )
    make_default = fields.Boolean(
        string="Contact Persons Get the Documents",
        help="Documents of a company then go to its contact persons, not to its own"
        " number.",
    )
    evidence = fields.Text(
        string="How Is Their Consent Known?",
        help="Kept with each contact as the proof that they agreed.",
    )
    headline = fields.Char(compute="_compute_headline")
    left_out = fields.Char(compute="_compute_headline")
    enabled_count = fields.Integer(compute="_compute_headline")
    line_ids = fields.One2many("whatsapp.billing.partner.enable.line", "wizard_id")
    is_done = fields.Boolean(readonly=True)

    # === COMPUTE METHODS === #

    @api.depends("res_ids")
    def _compute_is_selection(self):
        for wizard in self:
            wizard.is_selection = bool(wizard.res_ids)

    @api.depends("res_ids", "audience", "scope")
    def _compute_headline(self):
        words = dict(self.line_ids._fields["result"]._description_selection(self.env))
        for wizard in self:
            groups = wizard._sort_out()
            count = len(groups.pop("enabled"))
            wizard.enabled_count = count
            wizard.headline = (
                self.env._("1 contact will be switched on.")
                if count == 1
                else self.env._("%(n)s contacts will be switched on.", n=count)
            )
            wizard.left_out = ", ".join(
                f"{words[reason]}: {len(partners)}"
                for reason, partners in groups.items()
                if partners
            )

    # === ACTION METHODS === #

    def action_enable(self):
        """Switch on who can be, with the consent, and open the list of all.

        :raise UserError: without evidence
        :raise AccessError: when the user may not edit contacts
        """
        self.ensure_one()
        self.check_access("write")
        evidence = (self.evidence or "").strip()
        if not 1 <= len(evidence) <= MAX_EVIDENCE:
            raise UserError(
                self.env._("Say in 1 to 2,000 characters how their consent is known.")
            )
        if not self.is_done:
            # Written before the work: a second press waits for this row and finds it
            # done.
            self.is_done = True
            self.flush_recordset(["is_done"])
            self._enable(evidence)
        return self._open_result()

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, partners=None):
        """Return the action that opens this dialog for some contacts, or for all."""
        if not self.env.user.has_group("whatsapp_billing.group_user"):
            raise AccessError(self.env._("You may not record consent."))
        wizard = self.create({"res_ids": partners.ids if partners else False})
        if partners and not any(partners.mapped("customer_rank")):
            wizard.audience = (
                "vendor" if any(partners.mapped("supplier_rank")) else ("customer")
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Switch On WhatsApp"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "medium"},
        }

    def _get_partners(self):
        """Return the contacts that are meant, main contacts first."""
        partners = self.env["res.partner"]
        companies = Domain("company_id", "in", [False, *self.env.companies.ids])
        if self.res_ids:
            main = partners.search(Domain("id", "in", self.res_ids) & companies)
        else:
            rank = Domain(RANKS[self.audience], ">", 0)
            main = partners.search(rank & Domain("parent_id", "=", False) & companies)
        if self.scope == "main":
            return main
        persons = Domain("parent_id", "in", main.ids) & Domain("type", "=", "contact")
        return main | partners.search(persons & companies)

    def _sort_out(self):
        """Return {result: contacts}; writes nothing."""
        self.ensure_one()
        partners = self._get_partners()
        # sudo: whatsapp.billing.consent - the state of contacts that the user sees
        states = (
            self.env["whatsapp.billing.consent"]
            .sudo()
            ._states(partners, ENABLED_PURPOSES)
        )
        found = {result: [] for result, _label in RESULTS}
        for partner in partners:
            found[self._judge(partner, states)].append(partner.id)
        return {result: partners.browse(ids) for result, ids in found.items()}

    def _judge(self, partner, states):
        standing = states[partner.id, "billing"]
        # Only the customer's own word counts: a user's switch can be switched on again.
        if standing.state == "withdrawn" and standing.kind == "said":
            return "opted_out"
        raw = partner._wab_raw_number()
        if not raw:
            return "no_number"
        is_vendor = self.audience == "vendor" or partner._wab_is_only_vendor()
        if is_vendor and not raw.startswith("+"):
            return "no_plus"
        if not partner.wab_recipient:
            return "invalid_number"
        return "already" if partner.wab_enabled else "enabled"

    def _enable(self, evidence):
        groups = self._sort_out()
        todo = groups["enabled"]
        (todo | groups["already"]).check_access("write")
        todo._wab_switch_on()
        if self.make_default:
            persons = (todo | groups["already"]).filtered("parent_id")
            persons.write({"wab_is_default_recipient": True})
        self.env["whatsapp.billing.consent"]._record(
            todo,
            ENABLED_PURPOSES,
            True,
            "user",
            evidence,
            company_id=self.env.company.id,
        )
        self.env["whatsapp.billing.partner.enable.line"].create(
            [
                {"wizard_id": self.id, "partner_id": partner.id, "result": result}
                for result, partners in groups.items()
                for partner in partners
            ]
        )

    def _open_result(self):
        left_out = self.line_ids.filtered(
            lambda line: line.result not in ("enabled", "already")
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("WhatsApp: Who Was Switched On"),
            "res_model": "whatsapp.billing.partner.enable.line",
            "views": [(False, "list"), (False, "kanban")],
            "domain": [("wizard_id", "=", self.id)],
            "context": {"search_default_left_out": bool(left_out)},
        }


class WhatsappBillingPartnerEnableLine(models.TransientModel):
    """What became of one contact."""

    _name = "whatsapp.billing.partner.enable.line"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Contact Switched On or Left Out"
    _order = "result, id"
    _rec_name = "partner_id"

    wizard_id = fields.Many2one(
        "whatsapp.billing.partner.enable", required=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one("res.partner", string="Contact", ondelete="cascade")
    number = fields.Char(compute="_compute_number")
    result = fields.Selection(RESULTS, required=True)
    detail = fields.Char(string="What to Do", compute="_compute_detail")

    @api.depends("partner_id")
    def _compute_number(self):
        for line in self:
            partner = line.partner_id
            line.number = partner.wab_recipient or partner._wab_raw_number()

    @api.depends("result", "partner_id")
    def _compute_detail(self):
        details = {
            "opted_out": self.env._(
                "They asked for no more messages. Only they can change that."
            ),
            "no_number": self.env._("Enter a phone or WhatsApp number."),
            "no_plus": self.env._(
                "A vendor's number starts with + and the country code."
            ),
        }
        for line in self:
            problem = line.partner_id.wab_number_problem
            line.detail = (
                problem
                if line.result == "invalid_number"
                else details.get(line.result, False)
            )

    def action_open_contact(self):
        """Open the contact, to put right what is missing."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.partner_id.display_name,
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }
