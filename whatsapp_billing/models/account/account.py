# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import hmac
import math
import re
from secrets import token_urlsafe
from urllib.parse import urlencode, urlsplit

from odoo import api, fields, http, models
from odoo.exceptions import UserError, ValidationError

from ... import const
from ...clients import addresses
from ...clients.deadline import DeadlineTransport
from ...clients.transport import READ_SECONDS, Transport
from ...clients.whatsapp import (
    DEFAULT,
    PROFILES,
    AccountConfig,
    get_client,
    get_profile,
)

SECRETS = ("access_token", "app_secret")
API_VERSION = re.compile(r"v\d{1,3}\.\d{1,3}", re.ASCII)


class WhatsappBillingAccount(models.Model):
    """A WhatsApp Business account at a provider.

    Only an explicit credential or configuration answer of the provider makes it
    `error`; a timeout never does. It works only in the database it is bound to, so
    that a copy writes to nobody until a person confirms it (`account_connect.py`).
    """

    _name = "whatsapp.billing.account"
    _description = "WhatsApp Business Account"
    _inherit = [
        "whatsapp.billing.rights.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "sequence, id"
    _system_fields = frozenset(
        {
            "webhook_token",
            "webhook_verify_token",
            "last_webhook_at",
            "state",
            "state_detail",
            "last_sync_at",
            "remote_facts",
            "binding",
            "access_token_cipher",
            "app_secret_cipher",
            "app_secret_previous_cipher",
            "app_secret_changed_at",
        }
    )

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
        [(name, profile.label) for name, profile in PROFILES.items()],
        required=True,
        default=DEFAULT,
        tracking=True,
    )
    # Which fields the form shows as required: the provider's profile says so (`needs`).
    needs_app = fields.Boolean(compute="_compute_needs")
    needs_app_secret = fields.Boolean(compute="_compute_needs")
    needs_api_version = fields.Boolean(compute="_compute_needs")
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
    # Odoo computes these of the next activity as superuser, and its summary may quote
    # what a customer wrote. As the user, only activities that they may read count.
    activity_summary = fields.Char(related_sudo=False)
    activity_type_id = fields.Many2one(related_sudo=False)
    activity_type_icon = fields.Char(related_sudo=False)
    phone_ids = fields.One2many("whatsapp.billing.phone", "account_id")
    template_ids = fields.One2many("whatsapp.billing.template", "account_id")

    # === COMPUTE METHODS === #

    @api.depends("provider")
    def _compute_api_url(self):
        known = {profile.api_url for profile in PROFILES.values()}
        for account in self:
            if not account.api_url or account.api_url in known:
                account.api_url = account._get_profile().api_url

    @api.depends("provider")
    def _compute_needs(self):
        for account in self:
            profile = account._get_profile()
            account.needs_app = "app_uid" in profile.needs
            account.needs_app_secret = "app_secret" in profile.needs
            account.needs_api_version = "api_version" in profile.needs

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
            try:
                found = addresses.check_api_url(account.api_url or "")
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "The API address must look like %(example)s:"
                        " https, a host and perhaps a path, without user names,"
                        " question marks or special characters.",
                        example=account._get_profile().api_url,
                    )
                ) from error
            if found.scheme == "http" and not found.is_loopback:
                raise ValidationError(
                    self.env._(
                        "The API address must start with https://. Over http:// anybody"
                        " on the way could read the access token."
                    )
                )

    @api.constrains("api_version")
    def _check_api_version(self):
        for account in self:
            if not API_VERSION.fullmatch(account.api_version or ""):
                raise ValidationError(
                    self.env._("The API version must look like v25.0.")
                )

    @api.constrains("company_id")
    def _check_who_sends_with_it(self):
        """An account that a company sends with stays its own."""
        # sudo: res.company - who sends with it, whoever moves it
        users_sudo = self.env["res.company"].sudo()
        users_sudo.search([("wab_account_id", "in", self.ids)])._check_wab_account()

    @api.constrains("company_id")
    def _check_nothing_waits(self):
        """An account is handed on once nothing of its former company is on its way.

        It would leave from the other company's number, which would hear the answer.
        """
        # sudo: whatsapp.billing.message - whether any waits, whoever may read it
        messages_sudo = self.env["whatsapp.billing.message"].sudo()
        waiting = messages_sudo._read_group(
            [
                ("account_id", "in", self.ids),
                ("state", "in", ("queued", "held", "sending", "unknown")),
            ],
            ["account_id", "company_id"],
        )
        if any(account.company_id != company for account, company in waiting):
            raise ValidationError(
                self.env._(
                    "Messages of the company that had this account until now are still"
                    " on their way. Wait for them or cancel them, or make a new account"
                    " for the other company."
                )
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
        """Forget the secrets when they would go elsewhere, and hand numbers on."""
        vals = self._prepare_ids(vals)
        # A new API address forgets the secrets of the old one; those typed in the same
        # form are for the new one, so they are stored afterwards.
        typed = {name: vals.pop(name) for name in SECRETS if name in vals}
        places = {account: account._get_place() for account in self}
        result = super().write(vals)
        moved = self.filtered(lambda account: account._get_place() != places[account])
        moved._forget_secrets()
        if typed:
            result = super().write(typed)
        if moved or any(typed.values()) or {"waba_uid", "app_uid"} & vals.keys():
            self._forget_answers()
        if moved or "app_uid" in vals:
            for account in self:
                account._join_app()
        if "provider" in vals:
            self._ensure_header_secret()
        if vals.get("state") in ("connected", "inactive"):
            self.env["mail.activity"]._wab_end(self, "account_stopped")
        if "active" in vals:
            # sudo: whatsapp.billing.phone - numbers are the system's to write
            self.sudo()._hand_on_numbers(vals["active"])
        return result

    def _forget_answers(self):
        """Stop saying of what is typed now what was wrong with what stood there."""
        # sudo: whatsapp.billing.account - the provider's word, taken back
        for account_sudo in self.sudo().filtered("remote_facts"):
            account_sudo.remote_facts = {
                name: fact
                for name, fact in account_sudo.remote_facts.items()
                if name not in ("errors", "token", "answered")
            }
        for account_sudo in self.sudo().filtered(
            lambda account: account.state == "error" and account.state_detail
        ):
            account_sudo.state_detail = self.env._(
                "Press Connect to see whether it works with what was changed."
            )

    @api.model
    def _prepare_ids(self, vals):
        """Trim what people paste."""
        names = ("api_url", "api_version", "waba_uid", "app_uid")
        return vals | {
            name: vals[name].strip().rstrip("/") for name in names if vals.get(name)
        }

    def _get_place(self):
        """Return where this account's secrets go, which is what they were typed for."""
        self.ensure_one()
        return self.provider, addresses.origin(self.api_url)

    def _hand_on_numbers(self, is_active):
        """Let another account have the numbers while this one is archived.

        When it comes back it gets those that nobody else has taken. Called with sudo.
        """
        phones = self.with_context(active_test=False).phone_ids
        if is_active:
            phones = phones.filtered(lambda phone: not phone.active)
            phones -= phones._get_taken()
        phones.write({"active": is_active})

    def _join_app(self):
        """Share the address of an app whose secret was typed here, else have one's own.

        Meta has one callback per app, so accounts of an app share address and verify
        token. Naming the app proves nothing: whoever joins has typed the same secret.
        """
        self.ensure_one()
        # sudo: whatsapp.billing.account - an app may serve several companies
        account_sudo = self.sudo()
        left_sudo = account_sudo._get_same_address().filtered(
            lambda other: not account_sudo._is_same_app(other)
        )
        if left_sudo or not account_sudo.webhook_token:
            account_sudo.write(
                {
                    "webhook_token": token_urlsafe(24),
                    "webhook_verify_token": token_urlsafe(24),
                }
            )
        group_sudo = account_sudo | account_sudo._get_proven_siblings()
        # Of several webhook addresses the one that Meta may call already is kept.
        kept_sudo = min(
            group_sudo, key=lambda a: (a.state == "draft", not a.last_webhook_at, a.id)
        )
        group_sudo.filtered(lambda a: a.webhook_token != kept_sudo.webhook_token).write(
            {
                "webhook_token": kept_sudo.webhook_token,
                "webhook_verify_token": kept_sudo.webhook_verify_token,
            }
        )

    def _is_same_app(self, other):
        """Tell whether both are of one app: the same id elsewhere is another one."""
        return (
            bool(self.app_uid)
            and self.app_uid == other.app_uid
            and self._get_place() == other._get_place()
        )

    def _get_same_address(self):
        """Return the other accounts of the webhook address. Called with sudo."""
        self.ensure_one()
        if not self.webhook_token:
            return self.browse()
        return self.with_context(active_test=False).search(
            [("webhook_token", "=", self.webhook_token), ("id", "!=", self.id)],
            order="id",
        )

    def _get_proven_siblings(self):
        """Return the other accounts of the same app and secret. Called with sudo."""
        self.ensure_one()
        secret = self._get_secret("app_secret").encode()
        if not self.app_uid or not secret:
            return self.browse()
        others = self.with_context(active_test=False).search(
            [("app_uid", "=", self.app_uid), ("id", "!=", self.id)], order="id"
        )
        return others.filtered(
            lambda other: (
                self._is_same_app(other)
                and hmac.compare_digest(
                    other._get_secret("app_secret").encode(), secret
                )
            )
        )

    # === BUSINESS METHODS === #

    def _get_profile(self):
        """Return what the provider has, asks for and calls things.

        Of no account, for a message that lost its own, it is that of the first one.
        """
        # sudo: whatsapp.billing.account - whoever reads a message reads what became of it
        return get_profile(self.sudo().provider or DEFAULT)

    def _get_client(self, pool_size=10, seconds=math.inf):
        """Return the provider's client, ready to call.

        :param seconds: that all its calls together may take
        :raise UserError: for a copy of a database that nobody confirmed, or while
            there is no access token
        """
        self.ensure_one()
        transport = self._make_transport(pool_size)
        if seconds < math.inf:
            transport = DeadlineTransport(transport, seconds, longest=READ_SECONDS)
        return self._make_client(transport)

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
