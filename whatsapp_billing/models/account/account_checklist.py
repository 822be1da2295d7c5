# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The connection doctor: what works, and what to do about the rest."""

from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.tools.misc import format_datetime

# No null in there: XML-RPC cannot carry one.
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
                            # The form says it at its top already.
                            "is_said": check["detail"] == account.state_detail,
                        }
                        for check in account.checklist
                    ]
                },
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
            # Pressing Connect comes first.
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
        # A new form is no copy of anything.
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
        # Nothing stops that waits for it.
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
        # A template that is for no document, like Meta's greeting, sends none.
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
