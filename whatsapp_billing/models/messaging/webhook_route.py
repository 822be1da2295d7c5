# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import hmac

from odoo import api, models
from odoo.tools import ormcache

from ...clients.whatsapp.meta_errors import classify
from .account_secrets import CIPHERS

# What an address and the check of its webhooks depend on.
ADDRESS_FIELDS = {
    "webhook_token",
    "provider",
    "company_id",
    "app_secret_changed_at",
    *CIPHERS,
}


class Routes:
    """Which account and number an update inside a webhook speaks of.

    Only the accounts of the address that received it: a genuine event of one app
    never touches what belongs to another.
    """

    def __init__(self, accounts_by_key):
        self._accounts = accounts_by_key
        self._phones = {
            key: {
                phone.phone_uid: phone
                for account in accounts
                for phone in account.phone_ids
            }
            for key, accounts in accounts_by_key.items()
        }

    def phone(self, key, update):
        """Return the number an update names, or None."""
        return self._phones.get(key, {}).get(getattr(update, "phone_uid", ""))

    def account(self, key, update):
        """Return the account an update names, or None."""
        phone = self.phone(key, update)
        if phone:
            return phone.account_id
        accounts = self._accounts.get(key)
        if not accounts or getattr(update, "phone_uid", ""):
            return None
        waba_uid = getattr(update, "waba_uid", "")
        return next((a for a in accounts if a.waba_uid == waba_uid), None)


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

    @api.model
    def _routes(self, keys):
        """Return the `Routes` of webhook addresses.

        :param keys: pairs of (address token, provider)
        """
        tokens = [token for token, _provider in keys]
        accounts = self.with_context(active_test=False).search(
            [("webhook_token", "in", tokens)]
        )
        return Routes(
            {
                token: accounts.filtered(lambda a, t=token: a.webhook_token == t)
                for token in tokens
            }
        )

    @api.model
    def _webhook_credentials(self, token):
        """Return (provider, secrets, company id) of an address, or None. With sudo.

        Secrets of every account that shares the address count: accounts of one app
        have the same, and a wrong one among them must not lock the others out. The
        company is None where several share the address: nobody may read an event
        before it is known whose it is.
        """
        found = self._webhook_addresses().get(token)
        if not found:
            return None
        provider, company_id, ciphers = found
        secrets = {secret for row in ciphers for secret in self._open_secrets(*row)}
        return provider, sorted(secrets), company_id

    @api.model
    @ormcache()
    def _webhook_addresses(self):
        """Return {address token: (provider, company id, ciphers)} of all accounts.

        Kept in memory, still encrypted: every receipt asks for it. Called with sudo.
        """
        accounts = self.with_context(active_test=False).search(
            [("webhook_token", "!=", False)]
        )
        addresses = {}
        for token, found in accounts.grouped("webhook_token").items():
            companies = found.company_id
            addresses[token] = (
                found[0].provider,
                companies.id if len(companies) == 1 else None,
                tuple(account._webhook_ciphers() for account in found),
            )
        return addresses

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
    def _verify_handshake(self, token, mode, verify_token):
        """Tell whether a provider's check of the address is ours to confirm."""
        account = self._of_address(token)[:1]
        expected = account.webhook_verify_token if account else ""
        return bool(
            expected
            and mode == "subscribe"
            and hmac.compare_digest(expected.encode(), str(verify_token or "").encode())
        )

    @api.model
    def _of_address(self, token):
        if not token:
            return self.browse()
        return self.with_context(active_test=False).search(
            [("webhook_token", "=", token)]
        )

    def _apply_error_code(self, code):
        """Stop accounts for an error that came with a receipt."""
        for account in self:
            account._set_error(account.env._(classify(code, None).sentence))
