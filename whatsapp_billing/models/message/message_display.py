# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people read about a message, and who is told that one failed.

A failed message has a notification on its line in the chatter, as a failed SMS has: it
counts in the messaging menu of whoever is to see to it until the message goes out after
all or somebody has handled it.
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, human_size

from odoo.addons.mail.tools.discuss import Store

from ... import const
from ...rules import backoff, numbers

# Rule of a trace -> (model, selection field) whose labels its values are shown by.
VALUE_WORDS = {
    "document_type_fits": ("whatsapp.billing.message", "document_type"),
    "kind_sent": ("whatsapp.billing.message", "document_type"),
    "template_approved": ("whatsapp.billing.template", "status"),
    "account_active": ("whatsapp.billing.account", "state"),
}

# Rule -> key of `_wab_document_facts` whose labels the document's model gives.
FACT_WORDS = {
    "document_posted": "document_state",
    "document_not_cancelled": "document_state",
    "document_unpaid": "payment_state",
}

# Meta's codes that another number of the contact may put right.
NUMBER_CODES = ("131021", "131026", "131062", "137000")

# Fields hidden from filters and groups outside of developer mode.
TECHNICAL = frozenset(
    {
        *("uuid", "wamid", "context_wamid", "key", "lease_until", "channel_seen_at"),
        *("person_key", "recipient_uid", "group_uid", "priority", "document_state"),
        *("res_model", "res_id", "is_late", "is_user_message", "inbound_type"),
        *("next_attempt_at", "attachment_id", "mail_message_id", "method"),
        *("document_partner_id", "is_no_longer_true", "tell", "shown_text"),
    }
)

# The menu counts up to this many.
MOST = 99

RECEIVED_MENU = "whatsapp_billing.menu_message_received"

FAILED_MENU = "whatsapp_billing.menu_message_failed"

# Ticks are pushed for at most this many messages at a time: of a bulk sending people
# see them when they open a document.
MAX_LIVE = 50

FAILURE = const.METHOD

# State of a message -> status of its notification once nobody has to see to it.
STATUS = {
    "queued": "ready",
    "held": "ready",
    "sending": "process",
    "unknown": "process",
    "sent": "pending",
    "delivered": "sent",
    "read": "sent",
}


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    state = fields.Selection(group_expand="_group_expand_states")
    explanation = fields.Char(
        compute="_compute_explanation",
        help="What happened and what to do next, where something is to be done.",
    )
    timeline_html = fields.Html(compute="_compute_timeline_html", sanitize=False)
    replaced_by_id = fields.Many2one(
        "whatsapp.billing.message",
        string="Sent Instead",
        compute="_compute_replaced_by_id",
        help="The message that took the place of this one, because the contact's number"
        " or the document had changed.",
    )
    is_number_refused = fields.Boolean(
        string="Number Refused", compute="_compute_is_number_refused"
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "state",
        "error_code",
        "error_detail",
        "reason",
        "expires_at",
        "next_attempt_at",
        "is_no_longer_true",
        "replaced_by_id",
        "partner_id.wab_person_key",
    )
    def _compute_explanation(self):
        for message in self:
            message.explanation = message._explain() or False

    @api.depends("state", "reason")
    @api.depends_context("uid")
    def _compute_replaced_by_id(self):
        """Find what took the place of these, as far as the reader may read it."""
        found = {}
        if any(message.state == "canceled" and message.reason for message in self):
            found = {
                message.replaces_id.id: message
                for message in self.search([("replaces_id", "in", self.ids)])
            }
        for message in self:
            message.replaced_by_id = found.get(message.id, False)

    @api.depends("state", "error_code", "partner_id")
    def _compute_is_number_refused(self):
        """Tell whether another number of the contact may be what is needed."""
        for message in self:
            message.is_number_refused = (
                message.direction == "out"
                and message.state == "failed"
                and bool(message.partner_id)
                and message.error_code in NUMBER_CODES
            )

    @api.depends(
        "state", "queued_at", "sent_at", "delivered_at", "read_at", "failed_at"
    )
    def _compute_timeline_html(self):
        for message in self:
            message.timeline_html = self.env["ir.qweb"]._render(
                "whatsapp_billing.message_timeline",
                {"steps": message._get_steps(), "message": message},
            )

    @api.model
    def _group_expand_states(self, states, _domain):
        """Put the columns of a kanban in the order of a message's life."""
        order = [state for state, _label in self._fields["state"].selection]
        return sorted(states, key=order.index)

    # === CRUD METHODS === #

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Offer to group by what people know; the rest in developer mode."""
        result = super().fields_get(allfields, attributes)
        if not self.env.user.has_group("base.group_no_one"):
            for name in TECHNICAL & result.keys():
                if "groupable" in result[name]:
                    result[name]["groupable"] = False
        return result

    def _read_group_orderby(self, order, groupby_terms, query):
        """Put groups by state in the order of a message's life, not of the alphabet."""
        state = groupby_terms.get("state")
        if state is None:
            return super()._read_group_orderby(order, groupby_terms, query)
        states = [name for name, _label in const.MESSAGE_STATES]
        groupby_terms["state"] = SQL("array_position(%s, %s::text)", states, state)
        try:
            return super()._read_group_orderby(order, groupby_terms, query)
        finally:
            groupby_terms["state"] = state

    def write(self, vals):
        """Override: a failure that was seen to, or sent again, is no longer shown."""
        result = super().write(vals)
        if "is_handled" in vals:
            self.filtered(lambda message: message.direction == "out")._sync_failures()
        return result

    # === ACTION METHODS === #

    def action_correct_number(self):
        """Open the contact's number, to correct it."""
        self.ensure_one()
        self.check_access("read")
        if not self.partner_id:
            raise UserError(self.env._("This message belongs to no contact."))
        return self.partner_id._wab_open_number()

    def action_open_message(self):
        """Open the message itself, from its trace."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("WhatsApp Message"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS - IN WORDS === #

    def _explain(self):
        """Return one sentence on what is not as it should be, or an empty text."""
        self.ensure_one()
        if self.is_no_longer_true:
            return self.env._(
                "What this message said is no longer true: the payment was rejected,"
                " cancelled or reset afterwards. Tell the customer."
            )
        if self.state == "failed":
            return self.error_sentence or self.error_detail
        if self.state == "received":
            return self._explain_received()
        if self.state in ("canceled", "held"):
            return self._explain_unsent()
        if self.state == "unknown":
            return self.env._(
                "The connection broke before WhatsApp answered. This settles itself "
                "when WhatsApp reports; if you cannot wait, ask the customer, then "
                "retry or cancel."
            )
        if self.state == "queued":
            return self._explain_queued()
        if self.is_late:
            return self.env._(
                "Accepted by WhatsApp, but not delivered in time: the phone may be off "
                "or out of use."
            )
        return ""

    def _explain_queued(self):
        """Return why it goes again, or where it goes instead."""
        if self._is_number_corrected():
            return self.env._(
                "The contact has another number by now: the message goes to"
                " %(number)s instead.",
                number=self.partner_id.wab_recipient,
            )
        if self.attempts and self.error_sentence:
            return self.env._("Will be tried again. %(why)s", why=self.error_sentence)
        return ""

    def _explain_unsent(self):
        """Return why it did not go, or does not go yet."""
        if self.state == "canceled" and not self.reason:
            return self.env._("Cancelled by a person before it was sent.")
        if self.replaced_by_id:
            return self.env._(
                "The contact's number or the document had changed, so another message"
                " took the place of this one."
            )
        return self.reason_detail

    def _is_number_corrected(self):
        """Tell whether the contact has got another number, that can be written to."""
        self.ensure_one()
        key = self.partner_id.wab_person_key
        return bool(key and self.person_key and key != self.person_key) and (
            not numbers.is_bsuid(self.recipient or "")
        )

    def _refusal_sentence(self, code, state):
        """Return what a refusal means for a message that stands at `state`.

        The sentences of what passes by itself promise another try; a message that
        has been given up gets none.
        """
        spec = self.account_id._get_profile().errors.classify(code)
        if state == "failed" and spec.kind in backoff.POLICIES:
            return self.env._(
                "WhatsApp refused this message for the time being, and it is not tried"
                " any more. Send it again, or reach the customer another way."
            )
        return self._sentence(spec.sentence)

    def _explain_received(self):
        """Return what is to be done about something that came and cannot be used."""
        if self.media_state == "gone":
            return self.env._(
                "A file that the customer sent could not be fetched; it is too large or"
                " gone. Ask them to send it again."
            )
        return self._describe() if self.error_code else ""

    def _get_steps(self):
        """Return the time line: {label, at, state, done, now} per step."""
        self.ensure_one()
        if self.direction == "in":
            return [self._step("received", self.sent_at or self.create_date)]
        steps = [
            self._step("queued", self.queued_at),
            self._step("sent", self.sent_at),
            self._step("delivered", self.delivered_at),
            self._step("read", self.read_at),
        ]
        if self.state in ("failed", "canceled", "held", "unknown"):
            ended_at = {
                "failed": self.failed_at,
                "unknown": self.unknown_at,
            }.get(self.state)
            # The message has ended: steps that did not happen are not shown as still to
            # come.
            steps = [step for step in steps if step["at"]]
            steps.append(self._step(self.state, ended_at or self.write_date))
        return steps

    @api.model
    def _step(self, state, at):
        words = dict(self._fields["state"]._description_selection(self.env))
        return {"state": state, "label": words[state], "at": at}

    def _trace_value(self, rule, res_model=None):
        """Return the value of one rule of the trace in words, or an empty text.

        :param dict rule: `rule`, `value` and `passed` as `rules.eligibility` wrote it
        :param res_model: model of the document; left out, that of the message
        """
        name, value = rule.get("rule"), rule.get("value")
        if value is None or isinstance(value, bool):
            return ""
        if name == "file_fits":
            return human_size(value)
        if name in ("consent_given", "not_opted_out"):
            return self._consent_words().get(value, value)
        if name in VALUE_WORDS:
            model, field = VALUE_WORDS[name]
            words = self.env[model]._fields[field]._description_selection(self.env)
            return dict(words).get(value, value)
        model = self.env.get(res_model or self.res_model or "")
        if name in FACT_WORDS and model is not None:
            return model._wab_fact_words(FACT_WORDS[name]).get(value, value)
        return str(value)

    @api.model
    def _consent_words(self):
        return {
            "granted": self.env._("Agreed"),
            "withdrawn": self.env._("Withdrawn"),
            "none": self.env._("Never asked"),
            "by_contract": self.env._("By contract"),
        }

    @api.model
    def get_waiting_counts(self):
        """Return {menu: how many messages behind it wait for somebody, 100 at most}.

        What the screens behind these menus show when they are opened, counted with the
        rights of who asks.
        """
        self.browse().check_access("read")
        waits = [("is_handled", "=", False)]
        received = [("direction", "=", "in"), *waits]
        failed = [("state", "in", ("failed", "unknown", "held")), *waits]
        return {
            RECEIVED_MENU: self.search_count(received, limit=MOST + 1),
            FAILED_MENU: self.search_count(failed, limit=MOST + 1),
        }

    @api.model
    def _notify_waiting(self):
        """Have open screens count again; people who do not look at ours ask nothing."""
        # sudo: res.groups - only whom to tell that there is something to count
        group = self.env.ref("whatsapp_billing.group_user").sudo()
        group._bus_send("whatsapp_billing.waiting", {})

    def _notify_ticks(self):
        """Push new ticks to the open screens of the people who sent the messages.

        Whoever has left, or works for other companies by now, is told nothing more, and
        a customer at the portal, whose click a rule answered, is told nothing at all.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.id, u.id
                  FROM whatsapp_billing_message m
                  JOIN res_users u ON u.id = m.user_id AND u.active AND NOT u.share
                  JOIN res_company_users_rel c
                    ON c.user_id = u.id AND c.cid = m.company_id
                 WHERE m.id = ANY(%s) AND m.mail_message_id IS NOT NULL
                """,
                self.ids,
            )
        )
        by_user = defaultdict(list)
        for message_id, user_id in rows:
            by_user[user_id].append(message_id)
        for user_id, ids in by_user.items():
            if len(ids) <= MAX_LIVE:
                # sudo: res.users - only in which language they read
                user_sudo = self.env["res.users"].sudo().browse(user_id)
                # Only users who may still read the message are told its news.
                mine = self.browse(ids).with_user(user_id)._filtered_access("read")
                # sudo: mail.message - lines of messages that they may read
                lines = mine.sudo().mail_message_id.with_context(lang=user_sudo.lang)
                documents = {line.id: [line.model, line.res_id] for line in lines}
                if lines:
                    user_sudo.partner_id._bus_send(
                        "whatsapp_billing.ticks",
                        [
                            {**ticks, "document": documents[ticks["id"]]}
                            for ticks in lines._wab_ticks()
                        ],
                    )

    def _tick_text(self):
        """Return the news of this message in a few words, for a tooltip."""
        self.ensure_one()
        states = dict(self._fields["state"]._description_selection(self.env))
        parts = [states.get(self.state, self.state)]
        if self.state in ("failed", "unknown"):
            parts.append(self.error_sentence or self.error_detail or "")
        elif self.state in ("canceled", "held"):
            parts.append(self._explain_unsent() or "")
        return ": ".join(part for part in parts if part)

    # === BUSINESS METHODS === #

    def _sync_failures(self):
        """Have a notification for each failed message that waits for a person."""
        if not self:
            return
        self.flush_recordset(["state", "is_handled", "mail_message_id"])
        notifications = self.env["mail.notification"].sudo()
        notifications.flush_model(["notification_status", "notification_type"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.id, m.state, n.id, n.notification_status,
                       m.state = 'failed' AND m.is_handled IS NOT TRUE
                  FROM whatsapp_billing_message m
             LEFT JOIN mail_notification n
                    ON n.mail_message_id = m.mail_message_id
                   AND n.notification_type = %(type)s
                 WHERE m.id = ANY(%(ids)s) AND m.direction = 'out'
                   AND m.mail_message_id IS NOT NULL
                   AND m.method IS DISTINCT FROM %(test)s
                   AND (n.id IS NOT NULL OR m.state = 'failed')
                """,
                type=FAILURE,
                ids=self.ids,
                test=const.TEST_METHOD,
            )
        )
        new, moved = [], defaultdict(list)
        for message_id, state, notification_id, status, is_open in rows:
            wanted = "exception" if is_open else STATUS.get(state, "canceled")
            if notification_id and status != wanted:
                moved[wanted].append(notification_id)
            elif is_open and not notification_id:
                new.append(message_id)
        told = notifications.create(self.browse(new)._failure_values())
        for status, ids in moved.items():
            found = notifications.browse(ids)
            found.notification_status = status
            told |= found
        if told:
            told._wab_show_failures()
            self._notify_waiting()

    def _failure_values(self):
        """Return the values of the notifications about these failed messages."""
        # sudo: whatsapp.billing.message - only what it was about and who is to know
        messages_sudo = self.sudo()
        owners = {
            model: self.env[model].browse(messages.mapped("res_id"))._wab_owners()
            for model, messages in messages_sudo.grouped("res_model").items()
            if model in self.env
        }
        nobody = self.env["res.users"]
        return [
            {
                "mail_message_id": message.mail_message_id.id,
                "author_id": message._get_failure_user(
                    owners.get(message.res_model, {}).get(message.res_id, nobody)
                ).partner_id.id,
                "res_partner_id": message.partner_id.id,
                "wab_company_id": message.company_id.id,
                "notification_type": FAILURE,
                "notification_status": "exception",
                "failure_type": "unknown",
                # Read at once: the notification marks the failure and belongs in no
                # inbox.
                "is_read": True,
            }
            for message in messages_sudo
        ]

    def _get_failure_user(self, owner):
        """Return who is to see to a failure: who sent it, else whose document it is.

        :param owner: who looks after the document, or nobody
        """
        self.ensure_one()
        return self._find_able(self.user_id | owner) or self._get_salesperson()

    def _tell_documents(self):
        """Let the documents follow what has become of messages about them."""
        for name in self.env["whatsapp.billing.document.mixin"]._wab_model_names():
            self.env[name]._wab_follow_messages(self)


class MailNotification(models.Model):
    _inherit = "mail.notification"

    notification_type = fields.Selection(
        selection_add=[(FAILURE, "WhatsApp")], ondelete={FAILURE: "cascade"}
    )
    wab_company_id = fields.Many2one(
        "res.company", string="WhatsApp of", readonly=True, index="btree_not_null"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse a forged failure: in its place nobody would be told of the real one."""
        notifications = super().create(vals_list)
        if FAILURE in notifications.mapped("notification_type"):
            self._wab_check_system()
        return notifications

    def write(self, vals):
        """Refuse making one of another: an own entry is everybody's to change."""
        if vals.get("notification_type") == FAILURE or "wab_company_id" in vals:
            self._wab_check_system()
        return super().write(vals)

    @api.model
    def _wab_check_system(self):
        if not self.env.su:
            raise AccessError(self.env._("Only the system tells of WhatsApp failures."))

    def _to_store_defaults(self, target):
        """Override of `mail` to name who is to see to ours.

        Odoo asks the author of the line, who may be nobody: a plan, a rule.
        """
        mine = Store.Attr(
            "wab_author_id",
            lambda notification: notification.author_id.id,
            predicate=lambda notification: notification.notification_type == FAILURE,
        )
        return [*super()._to_store_defaults(target), mine]

    def _wab_show_failures(self):
        """Show these failures on the open screens of the users who have to see to them.

        Whoever may not read the document any more is not told what it is called.
        """
        for partner, mine in self.grouped("author_id").items():
            user = partner.main_user_id
            if not user or len(mine) > MAX_LIVE:
                continue
            lines = mine.mail_message_id
            for model, found in lines.grouped("model").items():
                records = self.env[model].browse(found.mapped("res_id")).exists()
                seen = records.with_user(user).with_context(lang=user.lang)
                seen_ids = set(seen._filtered_access("read").ids)
                lines -= found.filtered(
                    lambda line, ids=seen_ids: line.res_id not in ids
                )
            if lines:
                store = Store(bus_channel=user)
                shown = lines.with_user(user).with_context(lang=user.lang)
                shown._message_notifications_to_store(store)
                store.bus_send()


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def notify_cancel_by_type(self, notification_type):
        """Override of `mail` to dismiss our failures from the messaging menu too."""
        result = super().notify_cancel_by_type(notification_type)
        if notification_type == FAILURE:
            self._notify_cancel_by_type_generic(FAILURE)
        return result
