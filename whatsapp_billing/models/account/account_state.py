# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What works of an account, what to do about the rest, and what its provider says."""

from datetime import datetime, timezone

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import LazyTranslate
from odoo.tools.misc import format_datetime

from ..common import client_action

_lt = LazyTranslate(__name__)

# Shown when a call of a form got no answer. The clients' own sentences warn against
# sending a message twice; these calls may be repeated without harm.
SENTENCES = {
    "connection": _lt(
        "WhatsApp could not be reached. Nothing was changed; try again in a minute."
    ),
    "unknown": _lt(
        "WhatsApp did not answer properly, so it is not known whether it did what was"
        " asked. Wait a minute, press Read Templates or Test Connection, and look."
    ),
}

# Stored as words: XML-RPC cannot carry a null for what is not known.
STATES = {True: "done", False: "todo", None: "unknown"}


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"
    checklist = fields.Json(
        compute="_compute_checklist",
        help="A list of {key, label, ok, state, detail}; state is done, todo, or unknown"
        " while nobody can tell.",
    )
    checklist_html = fields.Html(compute="_compute_checklist_html", sanitize=False)
    phone_count = fields.Integer(compute="_compute_counts")
    template_count = fields.Integer(compute="_compute_counts")

    # === COMPUTE METHODS === #

    @api.depends("phone_ids", "template_ids")
    def _compute_counts(self):
        for account in self:
            account.phone_count = len(account.phone_ids)
            account.template_count = len(account.template_ids)

    @api.depends(
        "state",
        "state_detail",
        "remote_facts",
        "last_webhook_at",
        "binding",
        "access_token_cipher",
        "phone_ids.is_usable",
        "phone_ids.problem",
        "phone_ids.status",
        "phone_ids.quality",
        "template_ids.status",
    )
    def _compute_checklist(self):
        for account in self:
            account.checklist = [
                {
                    "key": key,
                    "label": label,
                    "ok": bool(ok),
                    "state": STATES[ok],
                    "detail": detail or "",
                }
                for key, label, ok, detail in account._get_checks()
            ]

    @api.depends("checklist", "state_detail")
    @api.depends_context("uid", "lang")
    def _compute_checklist_html(self):
        for account in self:
            account.checklist_html = self.env["ir.qweb"]._render(
                "whatsapp_billing.account_checklist",
                {
                    "checks": [
                        check
                        | {
                            "link": account._get_check_link(check),
                            # The alert at the top of the form shows the same sentence;
                            # the list hides it.
                            "is_said": check["detail"] == account.state_detail,
                        }
                        for check in account.checklist
                    ]
                },
            )

    # === BUSINESS METHODS - ERRORS === #

    def _apply_account_error(self, error):
        """Stop the account when the provider refuses its credentials or set-up.

        :return: whether it was stopped; a timeout or a busy provider never does it
        """
        self.ensure_one()
        if error.kind != "account":
            return False
        # sudo: whatsapp.billing.account - what follows is the provider's word
        account_sudo = self.sudo()._for_reader()
        account_sudo._set_error(account_sudo._get_error_sentence(error))
        return True

    def _apply_refusal(self, error):
        """Keep in words why an action did not work. Called with sudo."""
        if not self._apply_account_error(error):
            self.state_detail = self._get_error_sentence(error)

    def _set_error(self, sentence):
        """Show an error, and ask a person once to see to it. Called with sudo."""
        is_new = self.state != "error" or self.state_detail != sentence
        if self.state == "inactive":
            self.state_detail = sentence
        elif is_new:
            self.write({"state": "error", "state_detail": sentence})
            self._warn(
                self.env._("WhatsApp account stopped"), sentence, "account_stopped"
            )

    def _get_error_sentence(self, error):
        """Return what happened and what to do next, in the user's language."""
        if error.kind in SENTENCES:
            return self.env._(SENTENCES[error.kind])
        if error.sentence:
            return self.env._(error.sentence)
        return error.details or error.message or str(error)

    # === BUSINESS METHODS - EVENTS === #

    def _apply_event(self, event):
        """Take over what a webhook says about the account or one of its numbers.

        One account at WhatsApp may be connected here twice, say for two companies;
        whom an event speaks for is decided by its signature (`webhook_route.py`).
        """
        # sudo: whatsapp.billing.account - what follows is the provider's word
        for account_sudo in self.sudo():
            account_sudo._for_reader()._apply_one_event(event)

    def _apply_one_event(self, event):
        """Take over an event of this account. Called with sudo."""
        self.ensure_one()
        phone = self._find_phone(event.phone_uid, event.number)
        if event.about == "number":
            phone._apply_event(event)
            return
        if event.tier:
            self.phone_ids._apply_tier(event.tier)
        words = self._get_profile().words
        if event.kind == "deleted":
            self._apply_taken_away(self.env._(words.deleted), phone)
        elif event.kind == "removed":
            self._apply_taken_away(self.env._(words.removed), phone)
        elif event.kind == "disabled":
            self._set_error(self.env._(words.disabled))
            self.remote_facts = {**(self.remote_facts or {}), "disabled": True}
        elif event.kind == "reinstated":
            self._reinstate()
        else:
            self._tell_event(event)

    def _apply_taken_away(self, sentence, phone):
        """Stop what is not ours to use any more. Called with sudo.

        :param phone: the number, where the event concerns one only
        """
        if phone and len(self.phone_ids) > 1:
            phone._stop(sentence)
        else:
            self._set_error(sentence)

    def _tell_event(self, event):
        """Tell people of an event that changes nothing by itself. Called with sudo."""
        words = self._get_profile().words
        if event.kind == "notice":
            self._warn(self.env._("Notice from WhatsApp"), event.word)
        elif event.kind == "restricted":
            self._warn(
                self.env._("WhatsApp account restricted"),
                self.env._(words.restricted, event=event.word),
            )
        elif event.kind == "refused":
            self._warn(
                self.env._("WhatsApp account not approved"),
                self.env._(words.refused),
            )
        elif event.kind == "security":
            self.message_post(
                body=self.env._(
                    "WhatsApp security notice for %(number)s: %(event)s.",
                    number=event.number,
                    event=event.word,
                )
            )
        elif event.kind == "note":
            # Other events change nothing here; the provider's word is kept in the
            # chatter.
            self.message_post(
                body=self.env._(
                    "WhatsApp says about this account: %(event)s.", event=event.word
                )
            )

    def _find_phone(self, phone_uid, number):
        digits = "".join(char for char in number or "" if char.isdigit())
        return self.phone_ids.filtered(
            lambda phone: (
                (phone_uid and phone.phone_uid == phone_uid)
                or (digits and (phone.number or "").lstrip("+") == digits)
            )
        )[:1]

    def _reinstate(self):
        """Go on after a ban, unless something else is wrong too. Called with sudo."""
        facts = dict(self.remote_facts or {})
        if self.state == "error" and facts.pop("disabled", False):
            self.write(
                {"state": "connected", "state_detail": False, "remote_facts": facts}
            )

    # === BUSINESS METHODS - TELLING PEOPLE === #

    def _for_reader(self):
        """Return this account in the language of whoever looks after it.

        What a webhook or a cron finds out is written down by the system, which speaks
        English, and read by people, who may not.
        """
        if not self.env.user._is_superuser():
            return self
        lang = self._get_responsible().lang
        return self.with_context(lang=lang) if lang else self

    def _warn(self, title, text, reason=False):
        """Ask somebody to see to it, once while the same request is open."""
        self.ensure_one()
        if text:
            self._schedule_warning(self, title, text, reason)

    def _warn_once(self, record, title, text, reason=False):
        """As `_schedule_warning`, but silent while the same activity is still open."""
        if not self._is_asked(record, title, reason):
            self._schedule_warning(record, title, text, reason)

    def _is_asked(self, record, title, reason):
        """Tell whether the same is asked already, in whatever language."""
        return any(
            activity.wab_reason == reason if reason else activity.summary == title
            for activity in record.activity_ids
        )

    def _schedule_warning(self, record, title, text, reason=False):
        """Put an activity on an account or template for whoever looks after it.

        :param reason: with one, the activity ends by itself when the reason does
            (`mail.activity._wab_end`)
        """
        if self._is_asked(record, title, reason):
            record.message_post(body=text)
            return
        record.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=title,
            note=Markup("<p>%s</p>") % text,
            user_id=self._get_responsible().id,
            wab_reason=reason,
        )

    def _get_responsible(self):
        """Return who made the account, else another manager of its company."""
        managers = self.company_id._wab_get_managers()
        return (managers & self.create_uid) or managers[:1] or self.env.user

    def _show_state(self):
        """Return the action that shows what came of it.

        What is wrong stands on the form, and goes from there when it is mended; a
        toast beside it would say it twice, and still when it is not true any more.
        """
        if self.state_detail:
            return client_action.soft_reload()
        return self._show("success", self.env._("Connected to WhatsApp."))

    def _show(self, kind, message, sticky=False, title=""):
        """Return the action that shows a message and reads the form again."""
        return client_action.notification(
            kind, message, client_action.soft_reload(), title=title, sticky=sticky
        )

    # === BUSINESS METHODS === #

    def _get_checks(self):
        """Return key, label, whether it is fine, and what to do if not, per point."""
        facts = self.remote_facts or {}
        return [
            *self._check_database(),
            *self._check_settings(facts),
            ("token", self._get_token_label(), *self._check_token(facts)),
            *self._check_permissions(facts),
            *self._check_business(facts),
            ("number", self.env._("Number"), *self._check_number()),
            ("webhook", self.env._("Webhook"), *self._check_webhook(facts)),
            *self._check_address(),
            ("template", self.env._("Template"), *self._check_template()),
            ("test_message", self.env._("Test message"), *self._check_test_message()),
        ]

    def _get_check_link(self, check):
        """Return (label, address) of where a point is mended, None where it is here.

        :param check: one of `checklist`
        """
        if check["ok"]:
            return None
        places = {
            "number": self._get_numbers,
            "webhook": self._get_events,
            "address": self._get_address,
            "template": self._get_templates,
            "test_message": self._get_invoices,
        }
        if check["detail"] == self._ask_test():
            # No link before Connect was pressed: until then that is the next step.
            return None
        place = places.get(check["key"])
        return place() if place else self._get_page_of_provider(check["key"])

    def _get_page_of_provider(self, key):
        link = self._get_profile().links.get(key)
        if not link or (key in ("token", "permissions") and not self.has_access_token):
            return None
        return self.env._(link.label), link.address

    def _get_numbers(self):
        """Return the page of the number that has a problem, of all if several have."""
        if not self.phone_ids:
            return None
        stopped = self.phone_ids.filtered("standing_detail")
        page = _page("phone_action")
        if len(stopped) == 1:
            return self.env._("Open the number"), f"{page}/{stopped.id}"
        return self.env._("Open the numbers"), page

    def _get_events(self):
        if not (self.remote_facts or {}).get("subscribed"):
            return None
        return self.env._("Open Received Events"), _page("webhook_event_action")

    def _get_address(self):
        if not self._get_base_problem():
            return self._get_templates()
        if not self.env.user.has_group("base.group_system"):
            return None
        page = "/odoo/action-base.ir_config_list_action"
        return self.env._("Open System Parameters"), page

    def _get_templates(self):
        if not self.template_ids:
            return None
        return self.env._("Open Templates"), _page("template_action")

    def _get_invoices(self):
        if self.state != "connected":
            return None
        page = "/odoo/action-account.action_move_out_invoice_type"
        return self.env._("Open the invoices"), page

    def _check_database(self):
        # An account that was not saved yet was not copied with a database either.
        if self.is_bound or not self._origin:
            return []
        detail = self.env._(
            "This looks like a copy of another database, so it writes to nobody. If"
            " it is the one to work with from now on, press Confirm."
        )
        return [("database", self.env._("Database"), False, detail)]

    def _get_token_label(self):
        return self.env._(self._get_profile().words.token)

    def _check_settings(self, facts):
        """Name the settings that the provider has shown to be wrong."""
        labels = {
            "api": self.env._("API address"),
            "app": self.env._("App ID and app secret"),
        }
        errors = facts.get("errors") or {}
        return [
            (key, label, False, errors[key])
            for key, label in labels.items()
            if key in errors
        ]

    def _check_business(self, facts):
        """Say whether the business is verified: it decides how many people to reach."""
        found = self._get_profile().verification(facts.get("verification") or "")
        if not found:
            return []
        label = self.env._("Business verification")
        detail = self.env._(found.sentence) if found.sentence else ""
        # Messages go without a verified business: never red, at most unknown.
        return [("business", label, found.is_done or None, detail)]

    def _check_token(self, facts):
        if not self.has_access_token:
            return False, self.env._(self._get_profile().words.enter_token)
        problem = (facts.get("errors") or {}).get("token")
        if problem:
            return False, problem
        token = facts.get("token")
        if not token:
            return (True, "") if self._is_answered(facts) else (None, self._ask_test())
        if not token["is_valid"]:
            return False, self._get_expired()
        return True, self._get_expiry(token["expires_at"])

    def _is_answered(self, facts):
        """Tell whether the provider took the credentials the last time."""
        return "phones" in (facts.get("answered") or ())

    def _ask_test(self):
        return self.env._("Press Connect to see.")

    def _get_expired(self):
        return self.env._(self._get_profile().words.expired_token)

    def _get_expiry(self, expires_at):
        if not expires_at:
            return ""
        day = datetime.fromtimestamp(expires_at, timezone.utc).date()
        return self.env._(
            "It expires on %(day)s. A system user's token can be made to last for ever.",
            day=day,
        )

    def _check_permissions(self, facts):
        if not self._get_profile().required_scopes:
            return []
        return [("permissions", self.env._("Permissions"), *self._check_scopes(facts))]

    def _check_scopes(self, facts):
        words = self._get_profile().words
        token = facts.get("token")
        if not token:
            return (True, "") if self._is_answered(facts) else (None, self._ask_test())
        if token["missing"]:
            missing = ", ".join(token["missing"])
            return False, self.env._(words.missing_scopes, scopes=missing)
        if not token["has_waba"]:
            return False, self.env._(words.assign)
        return True, ""

    def _check_number(self):
        """Say whether every number that is written from can send."""
        facts = self.remote_facts or {}
        if not self.phone_ids and not facts.get("taken"):
            if self._is_answered(facts):
                return False, self._get_number_problem()
            return None, self._ask_test()
        usable = self.phone_ids.filtered("is_usable")
        if not usable:
            return False, self._get_number_problem()
        written_from = self.phone_ids.filtered("route_ids") or self.phone_ids
        stopped = [
            f"{phone.number_label}: {phone.standing_detail}"
            for phone in written_from
            if phone.standing_detail
        ]
        return not stopped, " ".join(stopped)

    def _check_webhook(self, facts):
        problem = (facts.get("errors") or {}).get("webhook")
        if problem:
            return False, problem
        is_ours = self._get_profile().makes_webhook_secret
        if not self._webhook_secrets() and is_ours:
            return None, self._ask_test()
        if not self._webhook_secrets():
            return False, self.env._(
                "Enter the app secret: without it news from WhatsApp is refused."
            )
        if self.last_webhook_at:
            return True, self.env._(
                "Last news from WhatsApp: %(at)s.",
                at=format_datetime(self.env, self.last_webhook_at),
            )
        if not facts.get("subscribed"):
            return None, self._ask_test()
        return None, self.env._(
            "Nothing has come from WhatsApp yet. It must be able to reach this"
            " address from the internet; send a test message to see."
        )

    def _check_template(self):
        # Templates without a document type (Meta's greeting) send no documents.
        ours = self.template_ids.filtered("document_type")
        statuses = set(ours.mapped("status"))
        if "approved" in statuses:
            return True, ""
        if "pending" in statuses:
            return None, self.env._("WhatsApp is still looking at it.")
        if not ours:
            return None, self._ask_test()
        return False, self.env._("Open Templates and submit the ready ones.")

    def _check_test_message(self):
        """Say whether anything ever arrived from here."""
        # sudo: whatsapp.billing.message - only whether any arrived
        sent = (
            self.env["whatsapp.billing.message"]
            .sudo()
            .search_count(
                [
                    ("account_id", "=", self.id),
                    ("state", "in", ("delivered", "read")),
                ],
                limit=1,
            )
        )
        if sent:
            return True, ""
        return None, self.env._(
            "Send a document by WhatsApp to a contact with your own number."
        )


def _page(action):
    return f"/odoo/action-whatsapp_billing.{action}"
