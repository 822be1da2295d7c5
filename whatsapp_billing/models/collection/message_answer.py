# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Answers to reminders that act: a promise, already paid, a problem, a person."""

from dataclasses import dataclass
from datetime import date, timedelta

import babel.dates
from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...rules import answers, dunning_time, eligibility, inbound
from ..common.ledger import CLEARED
from ..common.send_request import PlannedMessage, SendRequest
from .plan_read import zone_of

# An answer that quotes nothing is about the last reminder of so many days.
ABOUT = timedelta(days=15)
# Clock skew: a reminder queued this shortly after an answer may be what it answers.
BESIDE = timedelta(minutes=1)
# States in which the customer may have read the reminder.
REMINDED = ("sent", "delivered", "read", "unknown")
# Days from today offered as dates of a promise.
OFFERED = (1, 2, 3, 5, 7, 10, 14)
ANSWER = SendRequest(
    method="answer",
    purpose="collections",
    is_note=True,
    is_answer=True,
    is_named=True,
)


@dataclass(frozen=True, slots=True)
class Clock:
    """The customer's own time: the day on which they wrote, and what day it is."""

    said_on: date
    today: date
    # The 24-hour window had closed before the answer was read: no free text.
    is_late: bool


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - ANSWERS === #

    @api.model
    def _choose_acting(self, heard):
        """Override to choose what may be an answer to a reminder.

        What names a message of ours, or comes from who was reminded lately.
        """
        acting = super()._choose_acting(heard)
        thanks, possible = self.browse(), {}
        for message, said in heard.items():
            if message in acting:
                continue
            possible[message] = said
            if answers.is_thanks(said.text) and not said.payload:
                thanks |= message
        if not possible:
            return acting
        reminded = self._find_lately_reminded(self.browse().union(*possible))
        chosen = {
            message: said
            for message, said in possible.items()
            if message.partner_id
            and (
                said.context_wamid
                or answers.read_payload(said.payload)
                or message in reminded
            )
        }
        (thanks - self.browse().union(*chosen))._note_decided()
        return acting | chosen

    def _act_on_inbound(self, heard):
        """Let an answer to a reminder act on its cases, after STOP and START."""
        result = super()._act_on_inbound(heard)
        if not self._consent_word(heard):
            self._answer_reminder(heard)
        return result

    def _answer_reminder(self, heard):
        """Pause, promise or dispute what was answered; what is settled stays so."""
        self.ensure_one()
        tapped = answers.read_payload(heard.payload)
        asked = self._find_asked(heard, tapped)
        if asked and self._has_left_customer(asked, self.partner_id):
            # The contact no longer belongs to the reminded customer: the answer decides
            # nothing.
            asked = asked.browse()
        if not asked:
            if answers.is_thanks(heard.text) and not heard.payload:
                self._note_decided()
            return
        clock = self._get_clock(asked)
        answer = tapped or self._understand(heard, clock)
        if answer and answer.kind == "thanks":
            # Thanks changes no case: a promise stays one, a reminder stays due.
            self._note_decided()
            return
        found = self._find_answered_cases(asked)
        about = found
        if not answer or answer.kind != "problem":
            # Cases that the customer spoke of later are left out; not for a problem, as
            # later words do not end a dispute.
            about = self._without_later_answers(found)
        if about:
            self._answer_cases(asked, about, answer, clock)
        elif found:
            # A later answer was applied before this one: a person reads this one.
            return
        elif self._is_settled(asked):
            self._note_settled(asked, answer, clock)
        else:
            self._answer_without_plan(asked, answer, clock)

    def _understand(self, heard, clock):
        """Return what typed words plainly say; those in a form take a person."""
        if heard.is_form:
            return None
        lang = self.partner_id.lang or ""
        return answers.understand(heard.text or "", clock.said_on, lang)

    def _answer_cases(self, asked, about, answer, clock):
        """Do what an answer says to the open cases that it is about."""
        if answer is None:
            others = self._find_other_cases(about)
            self._hand_to_person(about | others, "answered", clock)
            return
        self._without_later_answers(about).answered_at = self.sent_at
        if answer.kind == "promise":
            self._note_promise(about, answer.day, asked, clock)
        elif answer.kind == "paid":
            self._hand_to_person(about, "claims_paid", clock)
            self._reply_paid(clock)
        elif answer.kind == "problem":
            self._note_problem(about, asked, clock, answer.about)
        else:
            others = self._find_other_cases(about)
            others.answered_at = self.sent_at
            self._hand_to_person(about | others, "wants_person", clock)
            self._reply_person(clock)

    # --- what it is about ------------------------------------------------------------

    def _find_asked(self, heard, tapped):
        """Return our message that was answered: named, quoted, or the last reminder.

        A quote of what we never sent, or sent to somebody else, is about nothing that
        we know, and words without a quote only about what was asked before them.
        """
        out = [("account_id", "=", self.account_id.id), ("direction", "=", "out")]
        if not self.partner_id:
            # The number belongs to no customer or to several: the answer decides
            # nothing.
            return self.browse()
        if tapped:
            return self._find_outgoing(self.account_id, uuid=tapped.uuid)
        quoted = heard.context_wamid
        for _step in range(2):
            if not quoted:
                return self._find_last_reminder(out)
            named = self._find_any(self.account_id, quoted)
            if named.direction != "in":
                return (
                    self._get_source(named) if self._is_ours(named) else named.browse()
                )
            # The answer quotes the customer's own message: what that one quoted counts.
            quoted = named.context_wamid
        return self.browse()

    def _get_source(self, named):
        """Return the reminder that a list of ours asked about, else the message."""
        source = (named.content or {}).get("about")
        if not source:
            return named
        return self._find_outgoing(self.account_id, uuid=source) or named

    def _is_ours(self, named):
        """Tell whether a message was sent to whoever answers now."""
        return bool(named) and self._is_by_same_sender(named)

    def _find_last_reminder(self, out):
        """Return the last reminder that the sender got before they wrote this."""
        last = self.search(
            [
                *out,
                # By key: the sender's number may be spelled otherwise than the
                # recipient's.
                ("person_key", "=", self.person_key or "-"),
                ("document_type", "=", "payment_reminder"),
                ("state", "in", REMINDED),
                ("queued_at", "<=", self.sent_at + BESIDE),
                ("queued_at", ">=", self.sent_at - ABOUT),
            ],
            limit=1,
        )
        theirs = last.partner_id.commercial_partner_id
        return (
            last if theirs == self.partner_id.commercial_partner_id else last.browse()
        )

    def _find_lately_reminded(self, said):
        """Return those words before which there was a reminder, as above, in one query."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.id
                  FROM whatsapp_billing_message m
                  JOIN LATERAL (
                       SELECT r.id FROM whatsapp_billing_message r
                        WHERE r.person_key = m.person_key AND r.direction = 'out'
                          AND r.account_id = m.account_id
                          AND r.document_type = 'payment_reminder'
                          AND r.state IN %(states)s
                          AND r.queued_at <= m.sent_at + %(beside)s
                          AND r.queued_at >= m.sent_at - %(about)s
                     ORDER BY r.id DESC LIMIT 1) reminder ON TRUE
                 WHERE m.id = ANY(%(ids)s)
                """,
                states=REMINDED,
                beside=BESIDE,
                about=ABOUT,
                ids=said.ids,
            )
        )
        return self.browse(row[0] for row in rows)

    def _find_answered_cases(self, asked):
        """Return the open cases of what our message was about.

        Of a reminder its due lines; of another document its own. A case that was
        closed and opened again is of the same line.
        """
        cases = self.env["whatsapp.billing.collection.case"]
        lines = asked.collection_item_ids.filtered(
            lambda item: item.role != "credit"
        ).move_line_id
        domain = [("company_id", "=", self.company_id.id), ("state", "!=", "done")]
        if not lines and asked.res_model != "account.move":
            return cases
        named = [("move_id", "=", asked.res_id)]
        if lines:
            named = [("move_line_id", "in", lines.ids)]
        found = cases.search([*domain, *named])
        found = found.filtered(lambda case: self._is_still_theirs(asked, case.move_id))
        held = found._hold_open()
        # The other cases were closed meanwhile: their invoices are read again.
        closed = (found - held).exists().move_id
        closed.invalidate_recordset(["state", "payment_state"], flush=False)
        return held

    def _find_other_cases(self, about):
        """Return all that runs of the same customer: somebody will talk to them."""
        found = about.search(
            [
                ("company_id", "=", self.company_id.id),
                ("debtor_id", "in", about.debtor_id.ids),
                ("state", "!=", "done"),
            ]
        )
        return self._without_later_answers(found._hold_open())

    def _without_later_answers(self, cases):
        """Return the cases about which the customer said nothing after these words.

        What they say later may reach us before.
        """
        return cases.filtered(
            lambda case: not case.answered_at or case.answered_at <= self.sent_at
        )

    def _get_asked_moves(self, asked):
        """Return the documents that our message was about."""
        # sudo: account.move - the system reads and notes for whoever reminded
        moves = self.env["account.move"].sudo()
        lines = asked.collection_item_ids.filtered(lambda item: item.role != "credit")
        if lines.move_line_id:
            moves = lines.move_line_id.move_id.sudo()
        elif asked.res_model == moves._name:
            moves = moves.browse(asked.res_id).exists()
        return moves.filtered(lambda move: self._is_still_theirs(asked, move))

    def _is_settled(self, asked):
        """Tell whether nothing of what our message was about is still to be paid."""
        moves = self._get_asked_moves(asked)
        return bool(moves) and not any(map(self._is_open_move, moves))

    @api.model
    def _is_open_move(self, move):
        return move.state == "posted" and move.payment_state not in CLEARED

    # --- their clock -----------------------------------------------------------------

    def _get_clock(self, asked):
        """Return the days of a customer: where they are, "tomorrow" is theirs."""
        debtor = (asked.partner_id or self.partner_id).commercial_partner_id
        plans = self.env["whatsapp.billing.collection.plan"]
        zone = None
        for _id, _active, country, _number, tz, default_tz in plans._read_places(
            debtor.ids, self.company_id
        ):
            zone = zone_of(country, self.recipient, tz, default_tz)
        zone = zone or self.company_id.partner_id.tz
        known = dunning_time.zone(zone)
        local = self.with_context(tz=known.key if known else "UTC")
        now = fields.Datetime.now()
        return Clock(
            said_on=fields.Datetime.context_timestamp(local, self.sent_at).date(),
            today=fields.Datetime.context_timestamp(local, now).date(),
            is_late=inbound.is_late(self.sent_at, now),
        )

    # --- what each answer does -----------------------------------------------------

    def _note_promise(self, cases, day, asked, clock):
        """Wait for the promised day; without one for a few days, and ask for it."""
        if day and day < clock.today:
            # The date has passed: an old list, or an answer that was read late.
            day = None
        if not day and clock.is_late:
            self._hand_to_person(cases, "answered", clock)
            return
        held = cases.filtered(lambda case: case.pause_reason == "manual")
        if held:
            # A hold set by a person stays; an activity tells them what the customer
            # said.
            title = self.env._("The customer will pay")
            held._ask_person(title, self._describe()[:500])
            self.tell = "line"
            cases -= held
        if not cases:
            self._reply_person(clock)
            return
        plan = cases.plan_id[:1]
        promised = day or clock.today + timedelta(days=plan.promise_days)
        cases._promise(promised, named=bool(day))
        self._note_decided()
        if day:
            self._reply(
                lambda env: env._(
                    "Thank you. We noted that you will pay on %(date)s.",
                    date=format_date(env, promised, lang_code=env.lang),
                ),
                clock,
            )
        else:
            self._offer_dates(asked, clock)

    def _note_problem(self, cases, asked, clock, about=""):
        """Take out what the customer has a problem with, and ask what it is."""
        self._note_decided()
        if about:
            self._note_reason(cases, self._get_problem_words(self.env)[about], clock)
            return
        reason = self.env._("The customer says that there is a problem.")
        for case in cases:
            case._dispute(reason, case._get_responsible())

        def rows(env):
            words = self._get_problem_words(env)
            return [
                [
                    answers.payload("problem", asked.uuid, about=about),
                    words[about][:24],
                ]
                for about in answers.PROBLEMS
            ]

        self._reply(
            lambda env: env._(
                "We are sorry to hear that. What is wrong? Choose it, or write it;"
                " somebody will look at it."
            ),
            clock,
            lambda env: {
                "button": env._("What is wrong?")[:20],
                "rows": rows(env),
                "about": asked.uuid,
            },
        )

    def _note_reason(self, cases, reason, clock):
        """Say what the problem is, once the customer has chosen it."""
        disputed = cases.filtered(lambda case: case.state == "disputed")
        disputed.write({"dispute_reason": reason})
        disputed._note_on_invoices(
            self.env._("Disputed by the customer: %(reason)s", reason=reason)
        )
        for case in cases - disputed:
            case._dispute(reason, case._get_responsible())
        self._reply(
            lambda env: env._("Thank you. Somebody will look at it."),
            clock,
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

    def _hand_to_person(self, cases, reason, clock):
        """Be quiet until somebody has looked: they wrote, paid, or want to talk.

        Free words take no promise back: until its day nothing is said anyway.
        """
        labels = dict(cases._fields["pause_reason"]._description_selection(self.env))
        to_pause = cases
        if reason == "answered":
            to_pause = cases.filtered(lambda case: case.state != "promised")
        for plan, mine in to_pause.grouped("plan_id").items():
            until = False
            if reason == "answered" and plan.pause_days:
                until = clock.today + timedelta(days=plan.pause_days)
            mine._pause(reason, until)
        cases._ask_person(labels[reason], self._describe()[:500])
        self.tell = "line"

    def _note_settled(self, asked, answer, clock):
        """Note on a document that is settled what was answered about it.

        What else the customer owes goes on being reminded: they spoke of this one.
        """
        moves = self._get_asked_moves(asked)
        text = self.env._(
            "The customer answered a message about this document, which is settled:"
            " %(text)s",
            text=self._describe()[:500],
        )
        lines = moves._message_log_batch(bodies={move.id: text for move in moves})
        # sudo: mail.message - which company's line it is, is the system's to write
        lines.sudo().wab_company_id = self.company_id
        if not answer or answer.kind == "problem" or answer.kind == "person":
            # The reply says that a person will look; nothing else tells the customer.
            if answer:
                self._reply_person(clock)
            return
        self._note_decided()
        self._reply(
            lambda env: env._(
                "Thank you. This document is settled: nothing is left to pay for it."
            ),
            clock,
        )

    def _answer_without_plan(self, asked, answer, clock):
        """Tell who reminded by hand, where no plan is there to wait."""
        moves = self._get_asked_moves(asked).filtered(self._is_open_move)
        if not moves or asked.document_type != "payment_reminder":
            return
        move = moves[:1]
        day = answer.day if answer and answer.kind == "promise" else None
        if day and day < clock.today:
            day = None
        title = self._get_answer_title(answer)
        if not any(activity.summary == title for activity in move.activity_ids):
            move.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=day,
                summary=title,
                note=Markup("<p>%s</p>") % self._describe()[:500],
                user_id=(asked._get_sender() or self.env.user).id,
                wab_reason="customer_answered",
            )
        self.tell = "line"
        if not answer:
            return
        if answer.kind == "promise" and not day and not clock.is_late:
            self._offer_dates(asked, clock)
        elif answer.kind == "paid":
            self._reply_paid(clock)
        elif answer.kind != "promise":
            self._reply_person(clock)

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
        # sudo: whatsapp.billing.account - only who looks after it
        account_sudo = self.account_id.sudo()
        return self._find_able(self.user_id) or (
            account_sudo._get_responsible() if account_sudo else self.user_id
        )

    # --- writing back ----------------------------------------------------------------

    def _reply_paid(self, clock):
        self._reply(
            lambda env: env._(
                "Thank you, we will check it. You can send the payment slip here."
            ),
            clock,
        )

    def _reply_person(self, clock):
        self._reply(
            lambda env: env._("Thank you. Somebody will contact you on working days."),
            clock,
        )

    def _offer_dates(self, asked, clock):
        """Ask for the day with a list to tap on; a typed date will do as well."""
        today = clock.today

        def rows(env):
            locale = env.lang or "en"
            return [
                [
                    answers.payload("promise", asked.uuid, today + timedelta(days=n)),
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
            clock,
            lambda env: {
                "button": env._("Choose a day")[:20],
                "rows": rows(env),
                "about": asked.uuid,
            },
        )

    def _reply(self, make_text, clock, make_content=None):
        """Write back in the open conversation, in the customer's language.

        Not once the window has closed, counted from when they wrote.
        """
        self.ensure_one()
        if not self.phone_id or clock.is_late:
            return self.browse()
        env = self.with_context(lang=self.partner_id.lang or self.env.lang).env
        planned = PlannedMessage(
            self._get_answered_record(),
            self.partner_id,
            self.company_id,
            "customer_message",
            # sudo: whatsapp.billing.template - none: these are free words
            template=self.env["whatsapp.billing.template"].sudo(),
            account=self.account_id,
            phone=self.phone_id,
            account_state=self._account_state(self.account_id, self.phone_id),
            rendered={"text": make_text(env)},
            more={
                "recipient": self.recipient,
                "recipient_uid": self.recipient_uid,
                "content": make_content(env) if make_content else None,
                "priority": 0,
            },
        )
        self._read_consents([planned], ANSWER)
        planned.decision = eligibility.decide(self._facts(planned, ANSWER))
        return self._create_rows([planned], ANSWER)

    def _get_answered_record(self):
        """Return the document that was answered, else who wrote."""
        documents = self.env.get(self.res_model or "")
        if self.res_id and hasattr(documents, "_wab_document_name"):
            # sudo: any document model - the inbox answers, whoever may open it
            record = documents.sudo().browse(self.res_id).exists()
            if record:
                return record
        return self.partner_id
