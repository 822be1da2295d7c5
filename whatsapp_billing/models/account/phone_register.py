# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""From a number that WhatsApp knows to one that can send: code, then PIN."""

import re
from secrets import randbelow

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...clients.errors import ClientError
from ...clients.whatsapp.base import CONNECTED
from ...clients.whatsapp.error_table import UNREGISTERED
from ...rules import languages
from ..common import client_action
from . import secrets

PIN = re.compile(r"[0-9]{6}", re.ASCII)


class WhatsappBillingPhone(models.Model):
    _inherit = "whatsapp.billing.phone"

    pin = fields.Char(
        string="PIN",
        compute="_compute_pin",
        inverse="_inverse_pin",
        groups="whatsapp_billing.group_manager",
        help="Six digits that WhatsApp asks for when the number is registered again."
        " Leave empty to have one made; type it where the number has one already."
        " Kept encrypted and never shown again.",
    )
    pin_cipher = fields.Char(groups=fields.NO_ACCESS, copy=False)
    has_pin = fields.Boolean(compute="_compute_has_pin")
    is_pin_shown = fields.Boolean(groups=fields.NO_ACCESS, copy=False)

    # === COMPUTE METHODS === #

    def _compute_pin(self):
        """Read back nothing, whoever asks."""
        self.pin = False

    def _inverse_pin(self):
        for phone in self.filtered("pin"):
            pin = phone.pin.strip()
            if not PIN.fullmatch(pin):
                raise ValidationError(
                    self.env._("The PIN of a number is six digits, like 123456.")
                )
            phone._keep_pin(pin, is_shown=True)

    @api.depends("pin_cipher")
    def _compute_has_pin(self):
        for phone in self:
            # sudo: whatsapp.billing.phone - only whether there is one
            phone.has_pin = bool(phone.sudo().pin_cipher)

    # === ACTION METHODS === #

    def action_request_code(self):
        """Have WhatsApp send a code to the number, by text message or call."""
        self._check_phone_action()
        language = languages.meta_code(self.env.user.lang or "en_US") or "en_US"
        client = self.account_id._make_action_client()
        try:
            client.request_code(self.phone_uid, self.code_method, language)
        except ClientError as error:
            return self._show_phone_refusal(error)
        # Committed before WhatsApp is called: were this request rolled back afterwards,
        # WhatsApp would have a PIN that nobody knows.
        self._ensure_pin()
        # sudo: whatsapp.billing.phone - what follows is the provider's word
        self.sudo().code_detail = self.env._(
            "WhatsApp is sending a code to %(phone)s.", phone=self.number_label
        )
        return client_action.soft_reload()

    def action_verify_code(self):
        """Confirm the number with the code that was entered, then register it."""
        self._check_phone_action()
        code = "".join(char for char in self.verification_code or "" if char.isdigit())
        if not code:
            raise UserError(self.env._("Enter the code that WhatsApp sent first."))
        client = self.account_id._make_action_client()
        try:
            client.verify_code(self.phone_uid, code)
        except ClientError as error:
            return self._show_phone_refusal(error)
        pin, refusal = self._register_at_provider(client)
        # sudo: whatsapp.billing.phone - what follows is the provider's word
        self.sudo().write({"is_verified": True, "verification_code": False})
        return self._apply_registration(pin, refusal)

    def action_register(self):
        """Let the number send: WhatsApp asks for its PIN, and sets it at first."""
        self._check_phone_action()
        pin, refusal = self._register_at_provider(self.account_id._make_action_client())
        return self._apply_registration(pin, refusal)

    def _check_phone_action(self):
        self.ensure_one()
        self.check_access("write")
        self.account_id._check_action()

    # === BUSINESS METHODS === #

    def _register_at_provider(self, client):
        """Ask the provider, without a write; return the PIN used and what refused."""
        # sudo: whatsapp.billing.phone - to tell it to the provider
        cipher = self.sudo().pin_cipher
        pin = secrets.decrypt(self.env, cipher) or f"{randbelow(10**6):06d}"
        try:
            client.register_phone(self.phone_uid, pin)
        except ClientError as error:
            return pin, error
        return pin, None

    def _apply_registration(self, pin, refusal):
        """Keep what came of it, and show a PIN that we made this once."""
        if refusal is not None:
            return self._show_phone_refusal(refusal)
        # sudo: whatsapp.billing.phone - what follows is the provider's word
        phone_sudo = self.sudo()
        is_new = not phone_sudo.is_pin_shown
        phone_sudo._keep_pin(pin, is_shown=True)
        phone_sudo.write({"is_registered": True, "problem": False, "status": CONNECTED})
        phone_sudo._use_verified()
        phone_sudo.code_detail = False
        if not is_new:
            return self.account_id._show(
                "success",
                self.env._("%(phone)s can send now.", phone=self.number_label),
            )
        return self.account_id._show(
            "success",
            self.env._(
                "%(phone)s can send now. Write its PIN down: WhatsApp asks for it when"
                " the number is moved, and it is not shown again.",
                phone=self.number_label,
            ),
            sticky=True,
            title=self.env._("PIN: %(pin)s", pin=pin),
        )

    def _ensure_pin(self):
        """Make a PIN where there is none yet."""
        # sudo: whatsapp.billing.phone - ciphers are nobody's to read or write
        for phone_sudo in self.sudo().filtered(lambda phone: not phone.pin_cipher):
            phone_sudo._keep_pin(f"{randbelow(10**6):06d}", is_shown=False)

    def _keep_pin(self, pin, is_shown):
        # sudo: whatsapp.billing.phone - ciphers are nobody's to read or write
        self.sudo().write(
            {
                "pin_cipher": secrets.encrypt(self.env, pin),
                "is_pin_shown": is_shown,
            }
        )

    def _show_phone_refusal(self, error):
        sentence = self.account_id._get_error_sentence(error)
        # sudo: whatsapp.billing.phone - what follows is the provider's word
        self.sudo().code_detail = sentence
        self.account_id._apply_account_error(error)
        return client_action.soft_reload()

    def _use_verified(self):
        """Make the routes that were waiting for a number. Called with sudo."""
        account = self.account_id
        self.env["whatsapp.billing.phone.route"]._make_defaults(account)
        if account.state == "pending":
            waiting = account._get_waiting_reason()
            account.write(
                {
                    "state": "pending" if waiting else "connected",
                    "state_detail": waiting or False,
                }
            )

    def _apply_number_error(self, code):
        """Stop sending from these numbers only, and ask a person to see to it.

        The provider has no complaint about the account: its other numbers go on.
        """
        # sudo: whatsapp.billing.phone - what follows is the provider's word
        for phone in self.sudo():
            lang = phone.account_id._for_reader().env.lang
            phone_sudo = phone.with_context(lang=lang)
            spec = phone.account_id._get_profile().errors.classify(code)
            if spec.meaning == UNREGISTERED:
                phone_sudo.is_registered = False
                phone_sudo._ensure_pin()
            phone_sudo._stop(phone_sudo.env._(spec.sentence))

    def _stop(self, sentence):
        """Send nothing from this number until its problem is gone. Called with sudo."""
        self.ensure_one()
        if self.problem == sentence:
            return
        self.problem = sentence
        self.account_id._warn(
            self.env._("WhatsApp number %(phone)s stopped", phone=self.number_label),
            f"{self.number_label}: {sentence}",
            f"number_stopped_{self.id}",
        )

    # === CRUD METHODS === #

    def write(self, vals):
        """End what was asked about a number that works again."""
        result = super().write(vals)
        if "problem" in vals and not vals["problem"]:
            for phone in self:
                self.env["mail.activity"]._wab_end(
                    phone.account_id, f"number_stopped_{phone.id}"
                )
        return result
