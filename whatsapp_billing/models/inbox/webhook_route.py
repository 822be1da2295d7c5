# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models
from odoo.tools import ormcache

from ..account.account_connect import CIPHERS

# Fields that `_webhook_addresses` caches; writing one clears the cache.
ADDRESS_FIELDS = {
    "webhook_token",
    "provider",
    "company_id",
    "app_secret_changed_at",
    *CIPHERS,
}


class Routes:
    """Which accounts and numbers an event may speak of.

    Only those whose secret signed it when it came, of the address that received it: a
    genuine event of one app never touches what belongs to another, and accounts made
    later get nothing of what came before, however often it is processed.
    """

    def __init__(self, accounts_by_key):
        self._accounts = accounts_by_key
        self._phones = {
            key: accounts.phone_ids.grouped("phone_uid")
            for key, accounts in accounts_by_key.items()
        }

    @staticmethod
    def key(event):
        """Return what decides whom an event may speak for."""
        return event.app_key, tuple(event.signer_ids or ())

    def phone(self, event, update):
        """Return the number an update names, or None.

        Where a number was handed on, what was processed before stays with the account
        that it was for then; the rest is for the account that has it now.
        """
        uid = getattr(update, "phone_uid", "")
        found = self._phones[self.key(event)].get(uid) if uid else None
        if not found or len(found) == 1:
            return found
        return (
            found.filtered(lambda phone: phone.account_id == event.account_id)
            or found.filtered("active")
            or found
        )[:1]

    def senders(self, event, update):
        """Return all that the number an update names is or was, none for no number.

        Where it was handed on, a receipt is for whichever of them has sent the message.
        """
        return self._phones[self.key(event)].get(getattr(update, "phone_uid", ""), ())

    def accounts(self, event, update):
        """Return the accounts an update names: several may share a WABA."""
        accounts = self._accounts[self.key(event)]
        phone = self.phone(event, update)
        if phone:
            return phone.account_id
        if getattr(update, "phone_uid", ""):
            return accounts.browse()
        waba_uid = getattr(update, "waba_uid", "")
        return accounts.filtered(lambda account: account.waba_uid == waba_uid)


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

    @api.model
    def _routes(self, events):
        """Return the `Routes` of webhook events. With sudo."""
        keys = {Routes.key(event) for event in events}
        accounts = self.with_context(active_test=False)
        ids = {account_id for _token, signers in keys for account_id in signers}
        known = accounts.browse(sorted(ids)).exists()
        return Routes(
            {
                (token, signers): known.filtered(
                    lambda a, t=token, s=signers: a.webhook_token == t and a.id in s
                )
                for token, signers in keys
            }
        )

    @api.model
    def _webhook_credentials(self, token):
        """Return (provider, [(account id, company id, secrets)]), or None. With sudo.

        Accounts of one app share the address and mostly the secret; whoever typed
        another one locks nobody out and speaks for nobody else.
        """
        found = self._webhook_addresses().get(token)
        if not found:
            return None
        provider, rows = found
        return provider, [
            (account_id, company_id, self._open_secrets(*ciphers))
            for account_id, company_id, ciphers in rows
        ]

    @api.model
    @ormcache()
    def _webhook_addresses(self):
        """Return {address token: (provider, ((id, company id, ciphers), ...))}.

        Kept in memory, still encrypted: every receipt asks for it. Called with sudo.
        """
        accounts = self.with_context(active_test=False).search(
            [("webhook_token", "!=", False)]
        )
        return {
            token: (
                found[0].provider,
                tuple(
                    (account.id, account.company_id.id, account._webhook_ciphers())
                    for account in found
                ),
            )
            for token, found in accounts.grouped("webhook_token").items()
        }

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        self.env.registry.clear_cache()
        return accounts

    def write(self, vals):
        result = super().write(vals)
        if not ADDRESS_FIELDS.isdisjoint(vals):
            self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    # === BUSINESS METHODS - ADDRESS === #

    @api.model
    def _answer_challenge(self, token, query):
        """Return what to answer a provider's check of the address; None if not ours."""
        account = self._of_address(token)[:1]
        expected = account.webhook_verify_token if account else ""
        return account._get_profile().challenge(query, expected) if expected else None

    @api.model
    def _of_address(self, token):
        # PostgreSQL refuses a NUL in a parameter, and no token has one.
        if not token or "\0" in token:
            return self.browse()
        return self.with_context(active_test=False).search(
            [("webhook_token", "=", token)]
        )

    def _apply_error_code(self, code):
        """Stop accounts for an error that came with a receipt."""
        for account in self:
            account = account._for_reader()
            spec = account._get_profile().errors.classify(code)
            account._set_error(account.env._(spec.sentence))
