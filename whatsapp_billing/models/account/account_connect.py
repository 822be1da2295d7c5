# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Connecting: ask the provider first, without a write, then store what it said."""

from dataclasses import dataclass, field

from odoo import fields, models

from ...clients.deadline import DeadlineTransport
from ...clients.errors import ClientError
from ...clients.whatsapp.base import PhoneInfo, TemplateInfo, TokenInfo
from ...clients.whatsapp.error_table import BAD_CREDENTIALS
from ..common import client_action

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


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

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
        # The account's form, where a problem would stand, is left.
        kind = "warning" if self.state_detail else "success"
        shown = self._show(kind, self.state_detail or self.env._("Connected to WhatsApp."))
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
            # Read page by page, so it may still be refused here.
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
        # What an earlier try found says nothing about this one.
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
