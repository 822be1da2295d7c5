# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Connecting: its secrets, the database it belongs to, where links in messages lead."""

from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_urlsafe

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...clients import addresses
from ...clients.deadline import DeadlineTransport
from ...clients.errors import ClientError
from ...clients.whatsapp.base import PhoneInfo, TemplateInfo, TokenInfo
from ...clients.whatsapp.error_table import BAD_CREDENTIALS
from ...rules import public_address
from ..common import client_action
from . import secrets

# Below the 30 s that a person waits at most: opening a connection may take 5 of them.
ACTION_SECONDS = 24


@dataclass(slots=True)
class Remote:
    """What the provider answered, as far as it did."""

    token: TokenInfo | None = None
    phones: list[PhoneInfo] | None = None
    templates: list[TemplateInfo] | None = None
    is_subscribed: bool = False
    verification: str = ""
    answered: list[str] = field(default_factory=list)
    errors: dict[str, ClientError] = field(default_factory=dict)


# How long webhooks signed with a replaced app secret are still believed: Meta takes
# a while to sign with the new one, and repeats what it could not deliver.
PREVIOUS_SECRET_HOURS = 24

CIPHERS = ("access_token_cipher", "app_secret_cipher", "app_secret_previous_cipher")

_lt = LazyTranslate(__name__)

PROBLEMS = {
    "no_address": _lt("%(url)s is not an address that a phone can open."),
    "plain": _lt(
        "%(url)s is not encrypted: phones warn about it or refuse to open it. Use an"
        " address that starts with https://."
    ),
    "private": _lt(
        "Customers cannot open %(url)s: it exists in your own network only."
    ),
    "local_name": _lt(
        "Customers cannot open %(url)s: that name is known in your own network only."
    ),
    "credentials": _lt(
        "%(url)s holds a user name or a password. Remove what stands before the @."
    ),
}


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

    def action_connect(self):
        """Check the token, read numbers and templates, subscribe, make the defaults."""
        self._check_action()
        is_new = self.state == "draft"
        remote = self._fetch_remote(with_templates=True, with_webhook=True)
        # sudo: whatsapp.billing.account - what follows is the provider's word
        self.sudo()._apply_connection(remote)
        if not (is_new and self._has_numbers_to_look_at()):
            return self._show_state()
        # The numbers open next, and the form with its alert is left: the notification
        # says what is wrong.
        kind = "warning" if self.state_detail else "success"
        shown = self._show(
            kind, self.state_detail or self.env._("Connected to WhatsApp.")
        )
        shown["params"]["next"] = self._open_numbers()
        return shown

    def _has_numbers_to_look_at(self):
        """Tell whether somebody should choose a number, or make one work."""
        numbers = self.phone_ids
        return len(numbers) > 1 or (numbers and not numbers.filtered("is_usable"))

    def _open_numbers(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.phone_action"
        )
        return action | {"domain": [("account_id", "=", self.id)]}

    def action_test_connection(self):
        """Check token and numbers again, for the check list."""
        self._check_action()
        remote = self._fetch_remote()
        # sudo: whatsapp.billing.account - what follows is the provider's word
        self.sudo()._apply_test(remote)
        return self._show_state()

    def action_sync_templates(self):
        """Read all templates as the provider has them."""
        self._check_action()
        try:
            infos = list(self._make_action_client().list_templates())
        except ClientError as error:
            # sudo: whatsapp.billing.account - what follows is the provider's word
            self.sudo()._apply_refusal(error)
            return client_action.soft_reload()
        # sudo: whatsapp.billing.account - what follows is the provider's word
        self.sudo()._apply_templates(infos)
        return self._show(
            "success",
            self.env._("%(count)s templates read from WhatsApp.", count=len(infos)),
        )

    def action_deactivate(self):
        """Send nothing from this account until it is switched on again."""
        self.check_access("write")
        # sudo: whatsapp.billing.account - the state is the system's to write
        self.sudo().write({"state": "inactive", "state_detail": False})
        return True

    def action_activate(self):
        """Switch the account on again, if the provider still accepts it."""
        return self.action_connect()

    def _check_action(self):
        self.ensure_one()
        self.check_access("write")
        self._check_callable()

    def _check_callable(self):
        """Override to let a person read the account of whoever may use it."""
        # sudo: whatsapp.billing.account - whether there is a token
        return super(WhatsappBillingAccount, self.sudo())._check_callable()

    def action_confirm_binding(self):
        """Let the accounts work in this database: a person says that it is the one."""
        self.check_access("write")
        self._bind()
        for account in self:
            account.message_post(body=self.env._("Confirmed to work in this database."))
        return True

    # === BUSINESS METHODS - ASKING === #

    def _make_action_client(self):
        """Return a client whose calls together take no longer than a person waits."""
        transport = DeadlineTransport(self._make_transport(2), ACTION_SECONDS)
        return self._make_client(transport)

    def _fetch_remote(self, with_templates=False, with_webhook=False):
        """Ask everything and write nothing: no row is locked while we wait."""
        client = self._make_action_client()
        steps = {"token": client.fetch_token_info, "phones": client.list_phones}
        if with_templates:
            steps["templates"] = client.list_templates
        if with_webhook:
            steps["webhook"] = lambda: self._subscribe(client)
        steps["business"] = client.fetch_business_verification
        remote = Remote()
        for name, step in steps.items():
            try:
                self._keep_answer(remote, name, step())
            except ClientError as error:
                remote.errors[name] = error
                break
        return remote

    def _keep_answer(self, remote, name, answer):
        if name == "token":
            remote.token = answer
        elif name == "business":
            remote.verification = answer
        elif name == "webhook":
            remote.is_subscribed = True
        else:
            # The answer is read page by page: a later page may be refused, here.
            setattr(remote, name, list(answer))
        remote.answered.append(name)

    def _subscribe(self, client):
        # sudo: whatsapp.billing.account - the provider must know how to prove itself
        account_sudo = self.sudo()
        client.subscribe(account_sudo.webhook_url, account_sudo._get_subscribe_secret())

    def _get_subscribe_secret(self):
        """Return what the provider repeats to us: once, or with each webhook."""
        if self._get_profile().makes_webhook_secret:
            return self._get_secret("app_secret")
        return self.webhook_verify_token

    # === BUSINESS METHODS - KEEPING === #

    def _apply_connection(self, remote):
        """Store what a connection attempt brought. Called with sudo."""
        self._apply_facts(remote)
        if remote.phones is not None:
            self._apply_numbers(remote.phones)
            self.env["whatsapp.billing.phone.route"]._make_defaults(self)
        if remote.templates is not None:
            self._copy_ready_templates()
            self._apply_templates(remote.templates)
        if remote.phones is not None and not self.company_id.wab_account_id:
            self.company_id.wab_account_id = self
        self._apply_outcome(remote)

    def _apply_test(self, remote):
        """Store what a test brought. Called with sudo."""
        self._apply_facts(remote)
        if remote.phones is not None:
            self._apply_numbers(remote.phones)
        if self.state not in ("draft", "inactive"):
            self._apply_outcome(remote)

    def _apply_numbers(self, infos):
        """Store the numbers, and remember which another account has."""
        taken = self.env["whatsapp.billing.phone"]._apply_infos(self, infos)
        facts = dict(self.remote_facts or {})
        facts["taken"] = [info.number or info.phone_uid for info in taken]
        self.remote_facts = facts

    def _apply_facts(self, remote):
        # Facts of an earlier attempt are dropped; `taken` is written by
        # `_apply_numbers`, and a subscription lasts.
        old = self.remote_facts or {}
        facts = {name: old[name] for name in ("taken", "subscribed") if name in old}
        facts["checked_at"] = fields.Datetime.to_string(fields.Datetime.now())
        facts["answered"] = remote.answered
        facts["verification"] = remote.verification
        facts["errors"] = dict(
            self._get_culprit(name, error) for name, error in remote.errors.items()
        )
        if remote.token:
            facts["token"] = {
                "is_valid": remote.token.is_valid,
                "expires_at": remote.token.expires_at,
                "missing": self._get_profile().missing(remote.token),
                "has_waba": self._has_waba(remote.token),
            }
        if remote.is_subscribed:
            facts["subscribed"] = True
        self.remote_facts = facts

    def _get_culprit(self, step, error):
        """Return which of the settings a refusal is about, and what to do about it.

        :param step: what was asked: token, phones, templates, webhook, business
        """
        profile = self._get_profile()
        has_app = bool(self.app_uid and self._get_secret("app_secret"))
        line, sentence = profile.culprit(step, error, has_app=has_app)
        if not sentence:
            return line, self._get_error_sentence(error)
        return line, self.env._(sentence, address=profile.api_url)

    def _has_waba(self, token):
        """Tell whether the token was given this account."""
        return self._get_profile().covers(token, self.waba_uid or "")

    def _apply_outcome(self, remote):
        """Say in state and words what came of it.

        Only an answer about credentials or configuration makes it `error`; when the
        provider could not be asked, the state stays what it was.
        """
        problem = self._get_token_problem(remote.token)
        errors = {k: e for k, e in remote.errors.items() if k != "business"}
        step, error = next(iter(errors.items()), (None, None))
        line, sentence = self._get_culprit(step, error) if error else ("", "")
        is_ours = error and (line in ("app", "api") or error.meaning == BAD_CREDENTIALS)
        if problem:
            self._set_error(problem)
        elif error and (error.kind == "account" or is_ours):
            self._set_error(sentence)
        elif error:
            if remote.phones is not None and self.state in ("draft", "error"):
                self.state = "pending"
            self.state_detail = sentence
        else:
            waiting = self._get_waiting_reason()
            self.write(
                {
                    "state": "pending" if waiting else "connected",
                    "state_detail": waiting or False,
                }
            )

    def _get_token_problem(self, token):
        """Return in words what the token lacks, "" if nothing."""
        profile = self._get_profile()
        if token is None:
            return ""
        if not token.is_valid:
            return self.env._(profile.words.wrong_token)
        missing = profile.missing(token)
        if missing:
            return self.env._(profile.words.lacks_scopes, scopes=", ".join(missing))
        if not self._has_waba(token):
            return self.env._(profile.words.not_assigned, waba=self.waba_uid)
        return ""

    def _get_number_problem(self):
        """Return in words why none of the numbers can send, and what to do."""
        taken = (self.remote_facts or {}).get("taken")
        if not self.phone_ids and taken:
            return self.env._(
                "%(numbers)s belongs to another account of this database. Archive the"
                " number there if it is to write from here, then press Connect.",
                numbers=", ".join(taken),
            )
        if not self.phone_ids:
            return self.env._(
                "The WhatsApp Business account has no number yet. Add one in WhatsApp"
                " Manager, then press Connect."
            )
        problems = [phone.problem for phone in self.phone_ids if phone.problem]
        if problems:
            return problems[0]
        if self.phone_ids.filtered("is_verified"):
            return self.env._(
                "None of the numbers is registered for sending yet. Open a number and"
                " press Register."
            )
        return self.env._(
            "None of the numbers is verified yet. Open a number, have a code sent"
            " to it and enter the code."
        )

    def _get_waiting_reason(self):
        """Return what is still missing before anything can be sent, "" if nothing."""
        if not self.phone_ids.filtered("is_usable"):
            return self._get_number_problem()
        if not self._webhook_secrets():
            return self.env._(
                "Without the app secret nobody can tell whether news about messages is"
                " really from WhatsApp, so it is refused. Enter the app secret and"
                " press Connect."
            )
        return ""

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

    def _get_link_problem(self, url):
        """Return in words what keeps customers from opening a link, "" for nothing.

        With a simulator on this machine as the provider, its customers are here too.
        """
        where = addresses.origin(self.api_url)
        is_here = bool(where) and addresses.split(where)[0].is_loopback
        code = public_address.problem(url, is_loopback_fine=is_here)
        if not code:
            return ""
        sentence = self.env._(PROBLEMS[code])
        return sentence % {"url": url}

    def _get_base_problem(self):
        """Return in words why links to this Odoo cannot be opened, "" if they can."""
        found = self._get_link_problem(self._get_base_address())
        if not found:
            return ""
        return self.env._(
            "%(problem)s That is the address of this Odoo since an administrator last"
            " logged in through it. Set web.base.url to your public address and"
            " web.base.url.freeze to True under Settings, Technical, System Parameters."
            " Templates that are approved keep the address they were approved with.",
            problem=found,
        )

    def _check_address(self):
        """Return what the check list says about links to this Odoo."""
        problem = self._get_base_problem()
        if problem:
            return [("address", self.env._("Links to this Odoo"), False, problem)]
        moved = self.env["whatsapp.billing.template"]._templates_with_other_base_url(
            self
        )
        if not moved:
            return []
        detail = self.env._(
            "This Odoo is at %(base)s now, and the buttons of %(names)s go on leading"
            " to the address they were approved with. If that one still works, nothing"
            " needs to be done. If not, make new versions of these templates: an"
            " approved one cannot be sent while a change is looked at.",
            base=self._get_base_address(),
            names=", ".join(moved.mapped("display_name")),
        )
        return [("address", self.env._("Links to this Odoo"), False, detail)]
