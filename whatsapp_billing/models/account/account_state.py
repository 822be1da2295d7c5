# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What an account's errors and events do to it, and how people get to know."""

from markupsafe import Markup

from odoo import models
from odoo.tools import LazyTranslate

from ..common import client_action

_lt = LazyTranslate(__name__)

# For calls that a person waits for. The clients' own sentences about silence speak of
# messages, which must not be sent twice; asking for these things twice does no harm.
SENTENCES = {
    "connection": _lt(
        "WhatsApp could not be reached. Nothing was changed; try again in a minute."
    ),
    "unknown": _lt(
        "WhatsApp did not answer properly, so it is not known whether it did what was"
        " asked. Wait a minute, press Read Templates or Test Connection, and look."
    ),
}


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

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
            # News that decides nothing, in the provider's own word.
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
