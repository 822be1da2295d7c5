# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...clients.errors import ClientError
from ...rules import languages
from . import wording

HIGH_PACE = 1000


class WhatsappBillingPhone(models.Model):
    """A sender number, as the provider describes it."""

    _name = "whatsapp.billing.phone"
    _description = "WhatsApp Number"
    _inherit = ["mail.thread"]
    _order = "is_verified desc, id"
    _rec_name = "number"
    _rec_names_search = ["number", "verified_name"]

    account_id = fields.Many2one(
        "whatsapp.billing.account", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    active = fields.Boolean(default=True)
    phone_uid = fields.Char(string="Phone Number ID", required=True, index=True)
    number = fields.Char(help="With its country code: + and digits.")
    verified_name = fields.Char(string="Name Shown")
    is_verified = fields.Boolean(string="Verified")
    pace = fields.Integer(
        string="Messages per Second", default=80, help="The most WhatsApp allows."
    )
    quality = fields.Char(tracking=True)
    tier = fields.Char(tracking=True)
    quality_label = fields.Char(string="Rating", compute="_compute_labels")
    tier_label = fields.Char(string="Contacts per Day", compute="_compute_labels")
    status = fields.Char(tracking=True)
    is_vanished = fields.Boolean(
        string="Gone from WhatsApp",
        help="WhatsApp no longer lists this number under the account.",
    )
    code_method = fields.Selection(
        [("SMS", "Text message"), ("VOICE", "Call")],
        string="Send the Code by",
        default="SMS",
        required=True,
    )
    verification_code = fields.Char(copy=False, groups="whatsapp_billing.group_manager")
    code_detail = fields.Char(copy=False, readonly=True)
    route_ids = fields.One2many("whatsapp.billing.phone.route", "phone_id")

    _phone_uid_unique = models.UniqueIndex(
        "(account_id, phone_uid)", "This number is already in this account."
    )

    # === COMPUTE METHODS === #

    @api.depends("number", "verified_name")
    def _compute_display_name(self):
        for phone in self:
            parts = (phone.number or phone.phone_uid, phone.verified_name)
            phone.display_name = " ".join(part for part in parts if part)

    @api.depends("quality", "tier")
    def _compute_labels(self):
        for phone in self:
            phone.quality_label = wording.quality(self.env, phone.quality)
            phone.tier_label = wording.tier(self.env, phone.tier)

    # === ACTION METHODS === #

    def action_request_code(self):
        """Have WhatsApp send a code to the number, by text message or call."""
        self.ensure_one()
        self.account_id._check_action()
        language = languages.meta_code(self.env.user.lang or "en_US") or "en_US"
        client = self.account_id._make_action_client()
        return self._ask(
            lambda: client.request_code(self.phone_uid, self.code_method, language),
            {},
            self.env._("WhatsApp is sending a code to %(phone)s.", phone=self.number),
        )

    def action_verify_code(self):
        """Confirm the number with the code that was entered."""
        self.ensure_one()
        self.account_id._check_action()
        code = "".join(char for char in self.verification_code or "" if char.isdigit())
        if not code:
            raise UserError(self.env._("Enter the code that WhatsApp sent first."))
        client = self.account_id._make_action_client()
        return self._ask(
            lambda: client.verify_code(self.phone_uid, code),
            {"is_verified": True, "verification_code": False},
            self.env._("%(phone)s is verified.", phone=self.number),
        )

    def _ask(self, call, values, message):
        """Call the provider, then keep what came of it and show it."""
        try:
            call()
        except ClientError as error:
            sentence = self.account_id._get_error_sentence(error)
            self.code_detail = sentence
            self.account_id._apply_account_error(error)
            return self.account_id._show("danger", sentence)
        self.write(values | {"code_detail": message})
        if self.is_verified:
            self._use_verified()
        return self.account_id._show("success", message)

    def _use_verified(self):
        """Make the routes that were waiting for a verified number."""
        # sudo: whatsapp.billing.account - a consequence, not a change by the user
        account_sudo = self.account_id.sudo()
        self.env["whatsapp.billing.phone.route"].sudo()._make_defaults(account_sudo)
        if account_sudo.state == "pending":
            waiting = account_sudo._get_waiting_reason()
            if not waiting:
                account_sudo.write({"state": "connected", "state_detail": False})

    # === BUSINESS METHODS === #

    @api.model
    def _get_route(self, company, audience, category):
        """Return the number that a company writes from, or no record.

        Vendors have one number for everything, and what has no number of its own
        (authentication, say) goes from the utility one.
        """
        # sudo: whatsapp.billing.phone.route - which number sends is not a secret
        routes_sudo = (
            self.env["whatsapp.billing.phone.route"]
            .sudo()
            .search([("company_id", "=", company.id), ("audience", "=", audience)])
        )
        by_category = {route.category: route.phone_id for route in routes_sudo}
        phone = by_category.get(category) or by_category.get("utility")
        return (phone or self.browse()).with_env(self.env)

    @api.model
    def _apply_infos(self, account, infos):
        """Store the numbers of an account as the provider lists them."""
        known = {
            phone.phone_uid: phone
            for phone in self.with_context(active_test=False).search(
                [("account_id", "=", account.id)]
            )
        }
        seen = {info.phone_uid: self._prepare_info(info) for info in infos}
        for uid in known.keys() & seen.keys():
            known[uid].write(seen[uid])
        self.create(
            [
                values | {"account_id": account.id, "phone_uid": uid}
                for uid, values in seen.items()
                if uid not in known
            ]
        )
        gone = self.browse().union(*(known[uid] for uid in known.keys() - seen.keys()))
        gone.write({"is_vanished": True, "is_verified": False})

    def _prepare_info(self, info):
        return {
            "number": info.number,
            "verified_name": info.verified_name or False,
            "is_verified": info.is_verified,
            "quality": info.quality or False,
            "tier": info.tier or False,
            "pace": info.pace,
            "status": info.status or False,
            "is_vanished": False,
        }

    def _apply_event(self, event):
        """Take over a webhook about this number."""
        if not self:
            return
        word = str(event.raw.get("event") or "").upper()
        if event.field == "phone_number_name_update":
            self._apply_name(event.raw)
        elif word == "THROUGHPUT_UPGRADE":
            self.pace = HIGH_PACE
        elif word in ("FLAGGED", "DOWNGRADE"):
            self.account_id._schedule_warning(
                self.account_id,
                self.env._("WhatsApp number %(phone)s", phone=self.number),
                self.env._(
                    "WhatsApp has lowered what this number may send because of"
                    " feedback from recipients. Look at its quality in WhatsApp"
                    " Manager."
                ),
            )
        self._apply_capability(event.raw)

    def _apply_capability(self, raw):
        limit = raw.get("max_daily_conversations_per_business") or raw.get(
            "current_limit"
        )
        if limit and self:
            self.write({"tier": str(limit)})

    def _apply_name(self, raw):
        decision = str(raw.get("decision") or "").upper()
        name = raw.get("requested_verified_name") or ""
        if decision == "APPROVED" and name:
            self.verified_name = name
        elif decision == "REJECTED":
            self.account_id._schedule_warning(
                self.account_id,
                self.env._("Display name rejected"),
                self.env._(
                    "WhatsApp rejected the display name %(name)s of %(phone)s. Choose"
                    " another one in WhatsApp Manager.",
                    name=name,
                    phone=self.number,
                ),
            )
