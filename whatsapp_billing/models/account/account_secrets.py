# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What an account keeps to itself, and the database it belongs to."""

from datetime import timedelta
from secrets import token_urlsafe

from odoo import api, fields, models

from . import secrets

# How long webhooks signed with a replaced app secret are still believed: Meta takes
# a while to sign with the new one, and repeats what it could not deliver.
PREVIOUS_SECRET_HOURS = 24

CIPHERS = ("access_token_cipher", "app_secret_cipher", "app_secret_previous_cipher")


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

    access_token = fields.Char(
        compute="_compute_secrets",
        inverse="_inverse_access_token",
        help="Kept encrypted and never shown again. Leave empty to keep it.",
    )
    app_secret = fields.Char(
        compute="_compute_secrets",
        inverse="_inverse_app_secret",
        help="Kept encrypted and never shown again. Leave empty to keep it.",
    )
    access_token_cipher = fields.Char(groups=fields.NO_ACCESS, copy=False)
    app_secret_cipher = fields.Char(groups=fields.NO_ACCESS, copy=False)
    app_secret_previous_cipher = fields.Char(groups=fields.NO_ACCESS, copy=False)
    app_secret_changed_at = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    has_access_token = fields.Boolean(compute="_compute_has_secrets")
    has_app_secret = fields.Boolean(compute="_compute_has_secrets")
    token_hint = fields.Char(compute="_compute_hints")
    secret_hint = fields.Char(compute="_compute_hints")
    binding = fields.Char(groups=fields.NO_ACCESS, copy=False)
    is_bound = fields.Boolean(
        compute="_compute_is_bound",
        help="Off in a copy of a database: nothing is sent until somebody confirms it.",
    )

    # === COMPUTE METHODS === #

    def _compute_secrets(self):
        """Read back nothing, whoever asks."""
        self.access_token = False
        self.app_secret = False

    def _inverse_access_token(self):
        for account in self.filtered("access_token"):
            # sudo: whatsapp.billing.account - ciphers are nobody's to read or write
            account.sudo().access_token_cipher = secrets.encrypt(
                self.env, account.access_token.strip()
            )

    def _inverse_app_secret(self):
        for account in self.filtered("app_secret"):
            account._set_app_secret(account.app_secret.strip())

    @api.depends("access_token_cipher", "app_secret_cipher")
    def _compute_has_secrets(self):
        for account in self:
            # sudo: whatsapp.billing.account - only whether there is one
            account_sudo = account.sudo()
            account.has_access_token = bool(account_sudo.access_token_cipher)
            account.has_app_secret = bool(account_sudo.app_secret_cipher)

    @api.depends("has_access_token", "has_app_secret")
    def _compute_hints(self):
        """Tell what stands in the place of a secret that nobody can read."""
        saved = self.env._("•••••••• saved, type to replace")
        empty = self.env._("Kept encrypted and never shown")
        for account in self:
            account.token_hint = saved if account.has_access_token else empty
            account.secret_hint = saved if account.has_app_secret else empty

    @api.depends("binding")
    def _compute_is_bound(self):
        current = secrets.bindings(self.env)
        for account in self:
            # sudo: whatsapp.billing.account - only whether it is ours
            account.is_bound = account.sudo().binding in current

    # === ACTION METHODS === #

    def action_confirm_binding(self):
        """Let the accounts work in this database: a person says that it is the one."""
        self.check_access("write")
        self._bind()
        for account in self:
            account.message_post(body=self.env._("Confirmed to work in this database."))
        return True

    # === BUSINESS METHODS === #

    def _is_bound(self):
        """Tell whether all these accounts belong to this database."""
        current = secrets.bindings(self.env)
        # sudo: whatsapp.billing.account - only whether it is ours
        return all(account.binding in current for account in self.sudo())

    def _bind(self):
        # sudo: whatsapp.billing.account - the binding is nobody's to write
        self.sudo().binding = secrets.bindings(self.env)[0]

    def _get_secret(self, name):
        """Return a secret in plain text, "" if there is none. Called with sudo."""
        self.ensure_one()
        return secrets.decrypt(self.env, self[f"{name}_cipher"])

    def _webhook_secrets(self):
        """Return the secrets that a webhook may be signed with, the current first."""
        self.ensure_one()
        # sudo: whatsapp.billing.account - to check a signature
        return self._open_secrets(*self.sudo()._webhook_ciphers())

    def _webhook_ciphers(self):
        """Return the current secret, the replaced one, and when. Called with sudo."""
        return (
            self.app_secret_cipher,
            self.app_secret_previous_cipher,
            self.app_secret_changed_at,
        )

    @api.model
    def _open_secrets(self, cipher, previous_cipher, changed_at):
        """Decrypt what a webhook may be signed with at this moment."""
        ciphers = [cipher]
        limit = fields.Datetime.now() - timedelta(hours=PREVIOUS_SECRET_HOURS)
        if changed_at and changed_at > limit:
            ciphers.append(previous_cipher)
        found = [secrets.decrypt(self.env, cipher) for cipher in ciphers]
        return [secret for secret in found if secret]

    def _set_app_secret(self, secret):
        """Replace the secret of the app.

        Accounts that share the app follow where the same person may change them. A
        company can neither replace nor see what another one has typed.
        """
        self.ensure_one()
        # sudo: whatsapp.billing.account - accounts of an app share its secret
        account_sudo = self.sudo()
        followers_sudo = account_sudo._get_proven_siblings()
        if not self.env.su:
            allowed = self.env.user.company_ids
            followers_sudo = followers_sudo.filtered(
                lambda follower: follower.company_id in allowed
            )
        for member_sudo in account_sudo + followers_sudo:
            if member_sudo._get_secret("app_secret") != secret:
                member_sudo.write(member_sudo._prepare_app_secret(secret))
        account_sudo._join_app()

    def _prepare_app_secret(self, secret):
        values = {"app_secret_cipher": secrets.encrypt(self.env, secret)}
        if self.app_secret_cipher:
            values |= {
                "app_secret_previous_cipher": self.app_secret_cipher,
                "app_secret_changed_at": fields.Datetime.now(),
            }
        return values

    def _forget_secrets(self):
        """Drop the secrets: they were not typed for where they would now go.

        Keeping them would let whoever may change the address read what the screen
        never shows.
        """
        # sudo: whatsapp.billing.account - ciphers are nobody's to write
        for account_sudo in self.sudo():
            values = dict.fromkeys(CIPHERS, False) | {"remote_facts": False}
            if account_sudo.has_access_token and account_sudo.state != "inactive":
                values |= {
                    "state": "draft",
                    "state_detail": self.env._(
                        "The API address changed, so the access token and the app"
                        " secret must be entered again. Then press Connect."
                    ),
                }
            account_sudo.write(values)

    @api.model
    def _reencrypt_secrets(self):
        """Encrypt every stored secret with the first key, before an old one is dropped.

        Run from a shell after a new key was put first. Bindings made with an old key
        follow it.
        """
        # sudo: whatsapp.billing.account - of all companies
        accounts_sudo = self.sudo().with_context(active_test=False).search([])
        for account_sudo in accounts_sudo:
            values = {
                name: secrets.reencrypt(self.env, account_sudo[name])
                for name in CIPHERS
                if account_sudo[name]
            }
            if account_sudo._is_bound():
                values["binding"] = secrets.bindings(self.env)[0]
            account_sudo.write(values)
        return len(accounts_sudo)

    def _ensure_header_secret(self):
        """Give accounts the secret that their provider will repeat with each webhook.

        Where the provider has no app of ours there is none that somebody could type.
        """
        # sudo: whatsapp.billing.account - ciphers are nobody's to read or write
        for account_sudo in self.sudo():
            is_ours = account_sudo._get_profile().makes_webhook_secret
            if is_ours and not account_sudo.app_secret_cipher:
                secret = token_urlsafe(32)
                account_sudo.app_secret_cipher = secrets.encrypt(self.env, secret)
