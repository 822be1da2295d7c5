# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models

from ...clients.whatsapp.base import CONNECTED
from ..common import labels


class WhatsappBillingPhone(models.Model):
    """A sender number, as the provider describes it."""

    _name = "whatsapp.billing.phone"
    _description = "WhatsApp Number"
    _inherit = ["whatsapp.billing.rights.mixin", "mail.thread"]
    _order = "is_usable desc, id"
    _system_fields = frozenset(
        {
            "account_id",
            "phone_uid",
            "number",
            "verified_name",
            "is_verified",
            "is_registered",
            "problem",
            "pace",
            "quality",
            "tier",
            "status",
            "is_vanished",
            "code_detail",
            "pin_cipher",
            "is_pin_shown",
            "last_webhook_at",
            "last_status_at",
        }
    )
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
    is_registered = fields.Boolean(
        string="Registered",
        default=True,
        help="Off while WhatsApp says that nothing can be sent from this number until"
        " it is registered with its PIN.",
    )
    problem = fields.Char(
        copy=False,
        help="Why WhatsApp refused to send from this number the last time it was"
        " asked; empty while it works.",
    )
    is_usable = fields.Boolean(
        string="Can Send", compute="_compute_is_usable", store=True
    )
    pace = fields.Integer(
        string="Messages per Second", default=80, help="The most WhatsApp allows."
    )
    quality = fields.Char(tracking=True)
    tier = fields.Char(tracking=True)
    quality_label = fields.Char(string="Rating", compute="_compute_labels")
    tier_label = fields.Char(string="Contacts per Day", compute="_compute_labels")
    status = fields.Char(tracking=True)
    number_label = fields.Char(string="Sender Number", compute="_compute_labels")
    standing = fields.Selection(
        [
            ("usable", "Can send"),
            ("unverified", "Not verified"),
            ("unregistered", "Not registered"),
            ("gone", "Gone from WhatsApp"),
            ("stopped", "Stopped"),
        ],
        compute="_compute_standing",
    )
    standing_detail = fields.Char(
        compute="_compute_standing", help="Why it cannot send, and what to do."
    )
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
        "(phone_uid) WHERE active",
        "This number belongs to another account of this database. Archive it there"
        " first.",
    )

    # === COMPUTE METHODS === #

    @api.depends("number", "verified_name")
    def _compute_display_name(self):
        for phone in self:
            parts = (
                labels.number(phone.number) or phone.phone_uid,
                phone.verified_name,
            )
            phone.display_name = " ".join(part for part in parts if part)

    @api.depends("is_verified", "is_registered", "is_vanished", "problem", "active")
    def _compute_is_usable(self):
        for phone in self:
            phone.is_usable = (
                phone.active
                and phone.is_verified
                and phone.is_registered
                and not phone.is_vanished
                and not phone.problem
            )

    @api.depends(
        "is_verified", "is_registered", "is_vanished", "problem", "status", "quality"
    )
    def _compute_standing(self):
        for phone in self:
            phone.standing, phone.standing_detail = phone._get_standing()

    def _get_standing(self):
        """Return what stands in the way of sending, and in words what to do."""
        if self.is_vanished:
            return "gone", self.env._(
                "WhatsApp no longer lists this number under the account. Choose"
                " another one under Sender Numbers."
            )
        if not self.is_verified:
            return "unverified", self.env._(
                "Have a code sent to the number and enter it."
            )
        if not self.is_registered:
            return "unregistered", self.problem or self.env._(
                "Nothing can be sent from it until it is registered. Open it and press"
                " Register."
            )
        if self.problem:
            return "stopped", self.problem
        if (self.status or CONNECTED).upper() not in (CONNECTED, "LINKED"):
            return "usable", labels.number_state(self.env, self.status)
        if (self.quality or "").upper() == "RED":
            return "usable", self.env._(
                "Its rating is low: people block or report what comes from it."
            )
        return "usable", False

    @api.depends("quality", "tier", "number")
    def _compute_labels(self):
        for phone in self:
            phone.number_label = labels.number(phone.number) or phone.phone_uid
            phone.quality_label = labels.quality(self.env, phone.quality)
            phone.tier_label = labels.tier(self.env, phone.tier)

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
            .search_fetch(
                [("company_id", "=", company.id), ("audience", "=", audience)]
            )
        )
        by_category = {route.category: route.phone_id for route in routes_sudo}
        phone = by_category.get(category) or by_category.get("utility")
        return (phone or self.browse()).with_env(self.env)

    @api.model
    def _apply_infos(self, account, infos):
        """Store the numbers of an account as the provider lists them.

        A number that another account of this database has stays there: accounts of
        one WhatsApp Business account see each other's numbers.

        :return: the infos of those numbers
        """
        known = {
            phone.phone_uid: phone
            for phone in self.with_context(active_test=False).search(
                [("account_id", "=", account.id)]
            )
        }
        seen = {info.phone_uid: self._prepare_info(info) for info in infos}
        for uid in known.keys() & seen.keys():
            known[uid].write(seen[uid])
        # sudo: whatsapp.billing.phone - whose it is, in whatever company
        taken = set(
            self.sudo()
            .search(
                [
                    ("phone_uid", "in", list(seen.keys() - known.keys())),
                    ("active", "=", True),
                ]
            )
            .mapped("phone_uid")
        )
        self.create(
            [
                values | {"account_id": account.id, "phone_uid": uid}
                for uid, values in seen.items()
                if uid not in known and uid not in taken
            ]
        )
        account.phone_ids.filtered(lambda phone: not phone.is_registered)._ensure_pin()
        gone = self.browse().union(*(known[uid] for uid in known.keys() - seen.keys()))
        gone.write({"is_vanished": True, "is_verified": False})
        return [info for info in infos if info.phone_uid in taken]

    def _get_taken(self):
        """Return those of these archived numbers that another account has now."""
        # sudo: whatsapp.billing.phone - whose it is, in whatever company
        uids = set(
            self.sudo()
            .search(
                [("phone_uid", "in", self.mapped("phone_uid")), ("active", "=", True)]
            )
            .mapped("phone_uid")
        )
        return self.filtered(lambda phone: phone.phone_uid in uids)

    def _prepare_info(self, info):
        return {
            "number": info.number,
            "verified_name": info.verified_name or False,
            "is_verified": info.is_verified,
            "is_registered": info.is_registered,
            "problem": False,
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
        if event.kind == "named":
            self.verified_name = event.name
        elif event.kind == "paced":
            self.pace = event.pace
        elif event.kind == "flagged":
            self.account_id._schedule_warning(
                self.account_id,
                self.env._("WhatsApp number %(phone)s", phone=self.number),
                self.env._(
                    "WhatsApp has lowered what this number may send because of"
                    " feedback from recipients. Look at its quality in WhatsApp"
                    " Manager."
                ),
            )
        elif event.kind == "name_refused":
            self.account_id._schedule_warning(
                self.account_id,
                self.env._("Display name rejected"),
                self.env._(
                    "WhatsApp rejected the display name %(name)s of %(phone)s. Choose"
                    " another one in WhatsApp Manager.",
                    name=event.name,
                    phone=self.number,
                ),
            )
        if event.tier:
            self._apply_tier(event.tier)

    def _apply_tier(self, tier):
        """Keep how many people a day these numbers may write to first."""
        if self:
            self.write({"tier": tier})
