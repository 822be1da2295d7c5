# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Answers to reminders that act: a promise, already paid, a problem, a person (D5)."""

from datetime import timedelta

import babel.dates

from odoo import api, fields, models
from odoo.tools.misc import format_date

from ...rules import answers
from ...rules import consent as consent_rules
from .case_truth import CLEARED

# An answer without context is about the last reminder, if it is not older.
ABOUT = timedelta(days=15)
# Days from today that the list of dates offers.
OFFERED = (1, 2, 3, 5, 7, 10, 14)


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - ANSWERS === #

    def _act_on_inbound(self, update):
        """Let an answer to a reminder act on its cases, after STOP and START."""
        result = super()._act_on_inbound(update)
        if update.type != "reaction":
            self._answer_reminder(update)
        return result

    def _answer_reminder(self, update):
        """Pause, promise or dispute what the answered reminder was about."""
        self.ensure_one()
        tapped = answers.read_payload(update.payload or "")
        reminder = self._find_reminder(tapped)
        if not reminder or (tapped is None and self._is_consent_word(update)):
            return
        answer = tapped or answers.understand(
            update.text or "",
            fields.Date.context_today(self),
            self.partner_id.lang or "",
        )
        cases = self._find_cases(reminder)
        if not cases:
            self._answer_without_plan(reminder, answer)
            return
        about = reminder._answered_cases(cases)
        if answer is None:
            self._hand_to_person(cases, "answered")
        elif answer.kind == "promise":
            self._note_promise(about, answer.day, reminder)
        elif answer.kind == "paid":
            self._hand_to_person(about, "claims_paid")
        elif answer.kind == "problem":
            self._note_problem(about, reminder, answer.about)
        else:
            self._hand_to_person(cases, "wants_person")

    @api.model
    def _is_consent_word(self, update):
        return bool(consent_rules.keyword(update.text or update.payload or ""))

    def _find_reminder(self, tapped):
        """Return the reminder that was answered: named, answered to, or the last."""
        if tapped and tapped.uuid:
            named = self._find_outgoing(self.account_id, uuid=tapped.uuid)
            if named:
                return named
        if self.context_wamid:
            named = self._find_outgoing(self.account_id, wamid=self.context_wamid)
            if named.collection_item_ids:
                return named
        return self.search(
            [
                ("direction", "=", "out"),
                ("account_id", "=", self.account_id.id),
                # Theirs may be spelled another way than what we wrote to.
                ("person_key", "=", self.person_key or "-"),
                ("document_type", "=", "payment_reminder"),
                ("state", "in", ("sent", "delivered", "read", "unknown")),
                ("queued_at", ">=", fields.Datetime.now() - ABOUT),
            ],
            limit=1,
        )

    def _find_cases(self, reminder):
        """Return the running cases of whoever wrote, where they were reminded."""
        debtor = (reminder.partner_id or self.partner_id).commercial_partner_id
        if not reminder or not debtor:
            return self.env["whatsapp.billing.collection.case"]
        items = reminder.collection_item_ids
        return items.case_id.filtered(lambda case: case.state != "done") | self.env[
            "whatsapp.billing.collection.case"
        ].search(
            [
                ("company_id", "=", self.company_id.id),
                ("debtor_id", "=", debtor.id),
                ("state", "!=", "done"),
            ]
        )

    def _answered_cases(self, cases):
        """Return which of these cases this reminder named."""
        mine = self.collection_item_ids.filtered(lambda item: item.role != "credit")
        return (mine.case_id & cases) or cases

    # --- what each answer does -----------------------------------------------------

    def _note_promise(self, cases, day, reminder):
        """Wait for the promised day; without one for a few days, and ask for it."""
        today = fields.Date.context_today(self)
        plan = cases.plan_id[:1]
        if day and day < today:
            # An old list of days, tapped on late.
            day = None
        promised = day or today + timedelta(days=plan.promise_days)
        cases._promise(promised)
        if day:
            self._reply(
                lambda env: env._(
                    "Thank you. We noted that you will pay on %(date)s.",
                    date=format_date(env, promised, lang_code=env.lang),
                )
            )
        else:
            self._offer_dates(reminder, today)

    def _note_problem(self, cases, reminder, about=""):
        """Take out what the customer has a problem with, and ask what it is."""
        if about:
            self._note_reason(cases, self._get_problem_words(self.env)[about])
            return
        reason = self.env._("The customer says that there is a problem.")
        for case in cases:
            case._dispute(reason, case._get_responsible())

        def rows(env):
            words = self._get_problem_words(env)
            return [
                [
                    answers.payload("problem", reminder.uuid, about=about),
                    words[about][:24],
                ]
                for about in answers.PROBLEMS
            ]

        self._reply(
            lambda env: env._(
                "We are sorry to hear that. What is wrong? Choose it, or write it;"
                " somebody will look at it and answer here."
            ),
            lambda env: {"button": env._("What is wrong?")[:20], "rows": rows(env)},
        )

    def _note_reason(self, cases, reason):
        """Say what the problem is, once the customer has chosen it."""
        disputed = cases.filtered(lambda case: case.state == "disputed")
        disputed.write({"dispute_reason": reason})
        disputed._note_on_invoices(
            self.env._("Disputed by the customer: %(reason)s", reason=reason)
        )
        for case in cases - disputed:
            case._dispute(reason, case._get_responsible())
        self._reply(
            lambda env: env._("Thank you. Somebody will look at it and answer here.")
        )

    @api.model
    def _get_problem_words(self, env):
        """Return {what a problem is about: at most 24 characters, as WhatsApp asks}."""
        return {
            "amount": env._("The amount is wrong"),
            "goods": env._("Not received or faulty"),
            "invoice": env._("The invoice has errors"),
            "other": env._("Something else"),
        }

    def _hand_to_person(self, cases, reason):
        """Be quiet until somebody has looked: they wrote, paid, or want to talk."""
        labels = dict(cases._fields["pause_reason"]._description_selection(self.env))
        for plan, mine in cases.grouped("plan_id").items():
            until = False
            if reason == "answered" and plan.pause_days:
                until = fields.Date.context_today(self) + timedelta(
                    days=plan.pause_days
                )
            mine._pause(reason, until)
        cases._ask_person(labels[reason], (self.body or "")[:500])

    def _answer_without_plan(self, reminder, answer):
        """Tell who reminded by hand, where no plan is there to wait (C90)."""
        moves = self.env["account.move"]
        if reminder.res_model == moves._name:
            # sudo: account.move - the system reads and notes for whoever reminded
            moves = moves.sudo().browse(reminder.res_id).exists()
        if moves.state != "posted" or moves.payment_state in CLEARED:
            return
        day = answer.day if answer and answer.kind == "promise" else None
        today = fields.Date.context_today(self)
        title = self._get_answer_title(answer)
        if not any(activity.summary == title for activity in moves.activity_ids):
            moves.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=max(day, today) if day else None,
                summary=title,
                note=(self.body or "")[:500],
                user_id=(reminder._get_sender() or self.env.user).id,
            )
        if answer and answer.kind == "promise" and not day:
            self._offer_dates(reminder, today)

    @api.model
    def _get_answer_title(self, answer):
        """Return what a customer answered, in words for a person."""
        cases = self.env["whatsapp.billing.collection.case"]
        labels = dict(cases._fields["pause_reason"]._description_selection(self.env))
        if answer is None:
            return labels["answered"]
        if answer.kind == "promise":
            return self.env._("The customer will pay")
        if answer.kind == "problem":
            return self.env._("The customer says that there is a problem.")
        return labels["claims_paid" if answer.kind == "paid" else "wants_person"]

    def _get_sender(self):
        """Return who sent this by hand, else who looks after the account."""
        person = self.user_id
        if person.active and not person._is_superuser():
            return person
        # sudo: whatsapp.billing.account - only who looks after it
        account_sudo = self.account_id.sudo()
        return account_sudo._get_responsible() if account_sudo else person

    # --- writing back ----------------------------------------------------------------

    def _offer_dates(self, reminder, today):
        """Ask for the day with a list to tap on; a typed date will do as well."""

        def rows(env):
            locale = env.lang or "en"
            return [
                [
                    answers.payload(
                        "promise", reminder.uuid, today + timedelta(days=n)
                    ),
                    babel.dates.format_skeleton(
                        "yMMMEd", today + timedelta(days=n), locale=locale
                    )[:24],
                ]
                for n in OFFERED
            ]

        self._reply(
            lambda env: env._(
                "On which day will you pay? Choose it, or write the date."
            ),
            lambda env: {"button": env._("Choose a day")[:20], "rows": rows(env)},
        )

    def _reply(self, make_text, make_content=None):
        """Write back in the open conversation, in the customer's language."""
        self.ensure_one()
        if not self.phone_id:
            return self.browse()
        env = self.with_context(lang=self.partner_id.lang or self.env.lang).env
        message = self.sudo().create(
            {
                "company_id": self.company_id.id,
                "account_id": self.account_id.id,
                "phone_id": self.phone_id.id,
                "partner_id": self.partner_id.id,
                "recipient": self.recipient,
                "recipient_uid": self.recipient_uid,
                "purpose": "collections",
                "method": "answer",
                "document_type": "customer_message",
                "res_model": self.res_model,
                "res_id": self.res_id,
                "document_name": self.document_name,
                "body": make_text(env),
                "content": make_content(env) if make_content else False,
                "priority": 0,
            }
        )
        message._log_on_documents()
        message._trigger_drain()
        return message


class WhatsappBillingConsent(models.Model):
    _inherit = "whatsapp.billing.consent"

    @api.model_create_multi
    def create(self, vals_list):
        """Stop the reminders of who opts out, at once; go on for who is back."""
        rows = super().create(vals_list)
        about = rows.filtered(lambda row: row.purpose in ("billing", "collections"))
        if about:
            about._follow_in_cases()
        return rows

    def _follow_in_cases(self):
        # sudo: whatsapp.billing.collection.case - kept by the system
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        out = self.filtered(lambda row: not row.granted).partner_id
        back = self.filtered("granted").partner_id - out
        if out:
            debtors = out.commercial_partner_id
            cases = cases_sudo.search(
                [
                    ("debtor_id", "in", debtors.ids),
                    ("state", "in", ("active", "promised", "paused")),
                ]
            )
            cases.filtered(
                lambda case: (
                    # Paused for good already, by somebody who will end it.
                    not (case.state == "paused" and not case.resume_on)
                    and not self._has_other_recipient(case.debtor_id, out)
                )
            )._pause("opted_out")
        if back:
            cases_sudo.search(
                [
                    ("debtor_id", "in", back.commercial_partner_id.ids),
                    ("state", "=", "paused"),
                    ("pause_reason", "=", "opted_out"),
                ]
            )._come_back()

    @api.model
    def _has_other_recipient(self, debtor, out):
        """Tell whether somebody else there still wants the reminders."""
        others = debtor._wab_default_recipients()[debtor.id] - out
        states = self.sudo()._states(others, ["collections"])
        return any(state != "withdrawn" for state, _id in states.values())


class WhatsappBillingCollectionCase(models.Model):
    _inherit = "whatsapp.billing.collection.case"

    def _come_back(self):
        """Go on after an opt-out, with the promise that was running. With sudo."""
        today = fields.Date.context_today(self)
        promised = self.filtered(lambda c: c.promise_date and c.promise_date >= today)
        for day, cases in promised.grouped("promise_date").items():
            cases._promise(day)
        (self - promised)._resume()
