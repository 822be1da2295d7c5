# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from secrets import token_urlsafe
from urllib.parse import urlencode, urlsplit

from odoo import api, fields, http, models
from odoo.exceptions import UserError, ValidationError

from ... import const
from ...clients.transport import Transport
from ...clients.whatsapp import get_client
from ...clients.whatsapp.base import AccountConfig
from . import secrets

API_URLS = {
    "meta": "https://graph.facebook.com",
    "dialog360": "https://waba-v2.360dialog.io",
}


class WhatsappBillingAccount(models.Model):
    """A WhatsApp Business account at a provider.

    Only an explicit credential or configuration answer of the provider makes it
    `error`; a timeout never does. It works only in the database it is bound to, so
    that a copy writes to nobody until a person confirms it (`account_secrets.py`).
    """

    _name = "whatsapp.billing.account"
    _description = "WhatsApp Business Account"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    provider = fields.Selection(
        [("meta", "Meta (WhatsApp Cloud API)"), ("dialog360", "360dialog")],
        required=True,
        default="meta",
        tracking=True,
    )
    api_url = fields.Char(
        string="API Address",
        compute="_compute_api_url",
        store=True,
        readonly=False,
        precompute=True,
        help="Leave as it is unless your provider told you another one.",
    )
    api_version = fields.Char(string="API Version", required=True, default="v25.0")
    waba_uid = fields.Char(string="WhatsApp Business Account ID", index=True)
    app_uid = fields.Char(string="App ID", index="btree_not_null")
    last_webhook_at = fields.Datetime(string="Last Webhook", copy=False, readonly=True)
    webhook_token = fields.Char(
        copy=False, groups=fields.NO_ACCESS, index="btree_not_null"
    )
    webhook_url = fields.Char(
        string="Webhook Address",
        compute="_compute_webhook_url",
        groups="whatsapp_billing.group_manager",
    )
    webhook_verify_token = fields.Char(
        copy=False, readonly=True, groups="whatsapp_billing.group_manager"
    )
    state = fields.Selection(
        [
            ("draft", "Not connected"),
            ("connected", "Connected"),
            ("pending", "Waiting for WhatsApp"),
            ("inactive", "Switched off"),
            ("error", "Error"),
        ],
        required=True,
        default="draft",
        copy=False,
        readonly=True,
        tracking=True,
        index=True,
    )
    state_detail = fields.Text(copy=False, readonly=True)
    last_sync_at = fields.Datetime(
        string="Templates Checked", copy=False, readonly=True
    )
    remote_facts = fields.Json(copy=False, readonly=True)
    phone_ids = fields.One2many("whatsapp.billing.phone", "account_id")
    template_ids = fields.One2many("whatsapp.billing.template", "account_id")

    # === COMPUTE METHODS === #

    @api.depends("provider")
    def _compute_api_url(self):
        known = set(API_URLS.values())
        for account in self:
            if not account.api_url or account.api_url in known:
                account.api_url = API_URLS[account.provider]

    @api.depends("webhook_token")
    def _compute_webhook_url(self):
        base = self._get_base_address()
        query = self._get_database_query(base)
        for account in self:
            # sudo: whatsapp.billing.account - the token is part of the address
            token = account.sudo().webhook_token
            account.webhook_url = (
                f"{base}{const.WEBHOOK_ROUTE}/{token}{query}" if token else False
            )

    def _get_base_address(self):
        # sudo: ir.config_parameter - an address that every mail has anyway
        parameters = self.env["ir.config_parameter"].sudo()
        return (parameters.get_param("web.base.url") or "").rstrip("/")

    def _get_database_query(self, base):
        """Return what names this database to a server that could mean several."""
        visible = http.db_list(force=True, host=urlsplit(base).netloc)
        name = self.env.cr.dbname
        return "" if visible == [name] else "?" + urlencode({"db": name})

    # === CONSTRAINT METHODS === #

    @api.constrains("api_url")
    def _check_api_url(self):
        for account in self:
            parts = urlsplit(account.api_url or "")
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValidationError(
                    self.env._("The API address must start with https://.")
                )

    @api.constrains("waba_uid", "app_uid")
    def _check_uids(self):
        for account in self:
            if not all(
                (uid or "0").isalnum() and (uid or "0").isascii()
                for uid in (account.waba_uid, account.app_uid)
            ):
                raise ValidationError(
                    self.env._(
                        "The ids of the WhatsApp Business account and of the app are"
                        " digits, as Meta's business settings show them."
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Bind the accounts to this database and give them their webhook address."""
        vals_list = [self._prepare_ids(vals) for vals in vals_list]
        accounts = super().create(vals_list)
        accounts._bind()
        for account in accounts:
            account._join_app()
        accounts._ensure_header_secret()
        return accounts

    def write(self, vals):
        """Ask for the secrets again when they would go to another host."""
        vals = self._prepare_ids(vals)
        if "api_url" in vals:
            self._forget_secrets_of_other_host(vals)
        result = super().write(vals)
        if {"app_uid", "api_url"} & vals.keys():
            for account in self:
                account._join_app()
        if "provider" in vals:
            self._ensure_header_secret()
        return result

    @api.model
    def _prepare_ids(self, vals):
        """Trim what people paste."""
        names = ("api_url", "api_version", "waba_uid", "app_uid")
        return vals | {
            name: vals[name].strip().rstrip("/") for name in names if vals.get(name)
        }

    def _join_app(self):
        """Take over address and secrets of an account of the same app, or make own.

        Meta has one callback per app: accounts with the same `app_uid` share it.
        """
        self.ensure_one()
        # sudo: whatsapp.billing.account - an app may serve several companies
        account_sudo = self.sudo()
        sibling_sudo = account_sudo._get_siblings()[:1]
        if sibling_sudo:
            account_sudo.write(
                {
                    "webhook_token": sibling_sudo.webhook_token,
                    "webhook_verify_token": sibling_sudo.webhook_verify_token,
                    "app_secret_cipher": sibling_sudo.app_secret_cipher
                    or account_sudo.app_secret_cipher,
                }
            )
        elif not account_sudo.webhook_token or len(account_sudo._get_same_token()) > 1:
            account_sudo.write(
                {
                    "webhook_token": token_urlsafe(24),
                    "webhook_verify_token": token_urlsafe(24),
                }
            )

    def _get_siblings(self):
        """Return the other accounts of the same app. Called with sudo.

        The same id at another host is another app: a secret that one account got
        from another never goes to a host that it was not typed for.
        """
        self.ensure_one()
        if not self.app_uid:
            return self.browse()
        others = self.with_context(active_test=False).search(
            [("app_uid", "=", self.app_uid), ("id", "!=", self.id)], order="id"
        )
        host = secrets.host(self.api_url)
        return others.filtered(lambda account: secrets.host(account.api_url) == host)

    def _get_same_token(self):
        return self.with_context(active_test=False).search(
            [("webhook_token", "=", self.webhook_token)]
        )

    # === BUSINESS METHODS === #

    def _get_client(self, pool_size=10):
        """Return the provider's client, ready to call.

        :raise UserError: for a copy of a database that nobody confirmed, or while
            there is no access token
        """
        self.ensure_one()
        return self._make_client(self._make_transport(pool_size))

    def _make_client(self, transport):
        # sudo: whatsapp.billing.account - whoever may send needs the token for it
        account_sudo = self.sudo()
        account_sudo._check_callable()
        config = AccountConfig(
            api_url=account_sudo.api_url,
            api_version=account_sudo.api_version,
            access_token=account_sudo._get_secret("access_token"),
            app_secret=account_sudo._get_secret("app_secret"),
            app_uid=account_sudo.app_uid or "",
            waba_uid=account_sudo.waba_uid or "",
        )
        return get_client(account_sudo.provider, config, transport)

    def _check_callable(self):
        if not self._is_bound():
            raise UserError(
                self.env._(
                    "This looks like a copy of another database, so it writes to"
                    " nobody. If it is the one to work with from now on, open the"
                    " account %(account)s and press Confirm.",
                    account=self.name,
                )
            )
        if not self._get_secret("access_token"):
            raise UserError(
                self.env._(
                    "The account %(account)s has no access token yet. Enter it and"
                    " press Connect.",
                    account=self.name,
                )
            )

    @api.model
    def _make_transport(self, pool_size):
        """Return how clients speak HTTP: the only place that tests replace."""
        return Transport(pool_size=pool_size)
