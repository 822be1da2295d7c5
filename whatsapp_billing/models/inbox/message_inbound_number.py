# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A customer has another number: nothing goes to the old one until a person decides.

Operators hand numbers on. An invoice to the old one would reach a stranger, and the new
one is what WhatsApp says, not what the customer told this company.
"""

from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...rules import numbers
from ..mail_message import of_company
from .message_inbound import UNKNOWN_NUMBER

GROUP = "whatsapp_billing.group_user"
# Fields of a contact from which its number is computed.
NUMBER_FIELDS = {"wab_number", "phone", "country_id"}
ACTIVITY = "whatsapp_billing.mail_activity_type_number"
# Reports of one number within this time count as the same change.
ONE_CHANGE = timedelta(hours=1)


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - ANOTHER NUMBER === #

    def _note_other_number(self, new_number):
        """Hold back everything to the old number and ask a person, once.

        :param str new_number: '+' and digits, or `UNKNOWN_NUMBER`
        """
        self.ensure_one()
        old = self.recipient
        if not old or new_number == old:
            return
        # sudo: res.partner - the owners of a number in this company, whoever sees them.
        # Only contacts of this company: the event is signed for its account.
        partners = self.env["res.partner"].sudo().with_company(self.company_id)
        partners = partners._wab_find_by_number(old, self.company_id)
        partners |= self.partner_id.sudo().with_company(self.company_id)
        self._keep_stop(old, new_number)
        if new_number == UNKNOWN_NUMBER:
            # Not where another notice has named the new number already.
            partners = partners.filtered(lambda partner: not partner.wab_new_number)
        partners.wab_new_number = new_number
        self._cancel_waiting(old, "number_changed")
        self.is_handled = bool(partners)
        self._ask_about_number(partners, new_number)

    def _keep_stop(self, old, new_number):
        """Let a STOP of the old number bind the new one: it is the same person.

        What the number itself said counts; what a person recorded stays with the contact.
        """
        if not numbers.is_e164(new_number):
            return
        # sudo: whatsapp.billing.consent - append-only ledger, what a number said
        consents = self.env["whatsapp.billing.consent"].sudo()
        company = self.company_id
        stopped = consents._read_stopped(old, company)
        # Only purposes not stopped there yet; this also ends a circle of changed
        # numbers.
        purposes = sorted(stopped - consents._read_stopped(new_number, company))
        if purposes:
            consents._set_number(
                new_number,
                False,
                "provider",
                self.env._("Asked us to stop with their former number %s", old),
                self,
                purposes,
            )

    @api.model
    def _find_reported(self, keys):
        """Return (key, message) of numbers that WhatsApp reported as changed.

        The latest report to each company, of several about one change the one that
        says the number, unless somebody decided since that the number is still its
        owner's.
        """
        self.flush_model(["person_key", "content", "direction", "company_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT person_key, id FROM (
                    SELECT DISTINCT ON (company_id, person_key) person_key, id, content
                      FROM (SELECT *, max(sent_at) OVER (
                                       PARTITION BY company_id, person_key) AS latest
                              FROM whatsapp_billing_message
                             WHERE direction = 'in' AND person_key = ANY(%s)
                               AND content ->> 'new_sender' IS NOT NULL) report
                     WHERE sent_at IS NULL OR sent_at >= latest - %s
                  ORDER BY company_id, person_key, sent_at IS NULL,
                           content ->> 'new_sender' = %s, sent_at DESC, id DESC) last
                 WHERE content ->> 'is_kept' IS NULL
                """,
                list(keys),
                ONE_CHANGE,
                UNKNOWN_NUMBER,
            )
        )
        return [(key, self.browse(message_id)) for key, message_id in rows]

    def _ask_about_number(self, partners, new_number):
        kind = self.env.ref(ACTIVITY)
        if new_number == UNKNOWN_NUMBER:
            note = self.env._(
                "WhatsApp says that the customer with %(old)s has another number, and"
                " not which one. Nothing more goes to the old number. Ask the customer,"
                " then type the new number on the contact or press Keep Old Number.",
                old=self.recipient,
            )
        else:
            note = self.env._(
                "WhatsApp says that %(old)s has changed to %(new)s. Nothing more goes"
                " to the old number. Ask the customer, then press Use New Number or"
                " Keep Old Number on the contact.",
                old=self.recipient,
                new=new_number,
            )
        title = self.env._("Number changed on WhatsApp")
        for partner in partners:
            of_company(partner, self.company_id)._message_log(body=note)
            if any(
                activity.activity_type_id == kind
                and activity.wab_company_id == self.company_id
                for activity in partner.activity_ids
            ):
                continue
            # sudo: mail.activity - which company's request it is, is the system's to write
            partner.sudo().activity_schedule(
                activity_type_id=kind.id,
                summary=title,
                note=Markup("<p>%s</p>") % note,
                user_id=self._get_salesperson(partner).id,
                wab_company_id=self.company_id.id,
            )


class ResPartner(models.Model):
    _inherit = "res.partner"

    wab_new_number = fields.Char(
        string="New WhatsApp Number",
        company_dependent=True,
        copy=False,
        readonly=True,
        groups=GROUP,
        help="What WhatsApp says that the number has changed to. Until somebody "
        "decides, nothing goes to the old one.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Hold back what would go to a number that is reported to be another's."""
        partners = super().create(vals_list)
        partners._wab_hold_reported()
        return partners

    def write(self, vals):
        """Take another number that a person types as the decision about a changed one.

        Unless that one is reported to have changed, too. Another spelling of the same
        number decides nothing.
        """
        if NUMBER_FIELDS.isdisjoint(vals):
            return super().write(vals)
        before = {partner: partner.wab_person_key for partner in self}
        result = super().write(vals)
        changed = self.filtered(lambda p: p.wab_person_key != before[p])
        if "wab_new_number" not in vals:
            # sudo: res.partner - the field is the system's to write, this edit decides it
            decided = changed.sudo()
            decided.filtered("wab_new_number").wab_new_number = False
        changed._wab_hold_reported()
        return result

    def _wab_hold_reported(self):
        """Hold messages to those whose number WhatsApp reported as changed; ask.

        Operators hand numbers on, and people type old ones: whose it is by now, a
        person decides for each contact and company.
        """
        keys = set(self.mapped("wab_person_key")) - {False}
        if not keys:
            return
        # sudo: whatsapp.billing.message - what a number reported, whoever types it
        for key, message in (
            self.env["whatsapp.billing.message"].sudo()._find_reported(keys)
        ):
            company, new = message.company_id, message.content["new_sender"]
            # sudo: res.partner - the field is the system's to write
            partners = self.sudo().with_company(company)
            partners = partners.filtered(
                lambda p, key=key: p.wab_person_key == key
            )._wab_of_company(company)
            if partners and numbers.person_key(new) != key:
                partners.wab_new_number = new
                message._ask_about_number(partners, new)

    # === ACTION METHODS === #

    def action_wab_use_new_number(self):
        """Write to the new number from now on."""
        return self._wab_decide_number(True)

    def action_wab_keep_old_number(self):
        """Go on writing to the old number: it is still theirs."""
        return self._wab_decide_number(False)

    def _wab_decide_number(self, use_new):
        self.check_access("write")
        if not self.env.user.has_group(GROUP):
            raise AccessError(self.env._("You may not decide about WhatsApp numbers."))
        for partner in self.filtered("wab_new_number"):
            old, new = partner.wab_recipient, partner.wab_new_number
            values = {"wab_new_number": False}
            if use_new and new == UNKNOWN_NUMBER:
                raise UserError(
                    self.env._(
                        "WhatsApp did not say which number %(name)s has now. Ask the"
                        " customer, and type it on the contact.",
                        name=partner.display_name,
                    )
                )
            if use_new:
                values["wab_number"] = new
            # sudo: res.partner - the field is the system's to write
            partner.sudo().write(values)
            partner._message_log(
                body=self.env._("WhatsApp goes to %s from now on.", new)
                if use_new
                else self.env._("WhatsApp goes on to %s.", old or "")
            )
            partner._wab_close_number_request()
            if not use_new:
                partner._wab_keep_number()
        return True

    def _wab_keep_number(self):
        """Remember that this number is still its owner's: new contacts are not held."""
        # sudo: whatsapp.billing.message - what was reported to the user's company
        reported = (
            self.env["whatsapp.billing.message"]
            .sudo()
            ._find_reported([self.wab_person_key or "-"])
        )
        for _key, message in reported:
            if message.company_id == self.env.company:
                message.content = {**message.content, "is_kept": True}

    def _wab_close_number_request(self):
        kind = self.env.ref(ACTIVITY)
        # sudo: mail.activity - whoever decides ends the request, also one of a colleague
        done = self.sudo().activity_ids.filtered(
            lambda a: (
                a.activity_type_id == kind and a.wab_company_id == self.env.company
            )
        )
        done.action_feedback()
