# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a message is, who may read it, and what people do to one."""

import uuid

from markupsafe import Markup
from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, LazyTranslate

from ... import const
from ...rules import eligibility, markup, numbers, traces
from ..common import client_action

_lt = LazyTranslate(__name__)

RETRYABLE_STATES = ("failed", "unknown", "held")

HANDLEABLE_STATES = ("failed", "unknown", "canceled")

CANCELABLE_STATES = ("queued", "held", "unknown")

# Messages cancelled in one transaction; a drain that claims the same rows waits.
CANCEL_BATCH = 500

CONTACT = "res.partner"

# Models of nearly all documents; others are found by a partial index.
USUAL_MODELS = ("account.move", "account.payment", CONTACT)


class WhatsappBillingMessage(models.Model):
    """One message in or out, with everything needed to send it and to explain it.

    Business code creates rows in its own transaction; what calls and webhooks tell
    moves them on by SQL that respects the order of states: calls are recorded in
    `sending/drain_record.py`, receipts in `message_attempt.py`. People and documents
    take back what has not left (`action_cancel`, `_withdraw`). Whoever moves some calls
    `_after_state_change`, which takes the steps of `AFTER_STATE_CHANGE`
    (`sending/message_drain.py`). A message that may not go is a row too: `canceled` or
    `held`, with its reason.
    """

    _name = "whatsapp.billing.message"
    _inherit = [
        "whatsapp.billing.outbox",
        "whatsapp.billing.rights.mixin",
        "whatsapp.billing.system.rows.mixin",
    ]
    _lane_field = "phone_id"
    _description = "WhatsApp Message"
    _order = "id desc"
    _rec_name = "recipient"

    direction = fields.Selection(
        [("out", "Outgoing"), ("in", "Incoming")], required=True, default="out"
    )
    state = fields.Selection(const.MESSAGE_STATES, required=True, default="queued")
    reason = fields.Selection(const.REASONS, index="btree_not_null")
    reason_detail = fields.Char(compute="_compute_reason_detail", string="Why")
    # Token and provider's id of the latest call; earlier calls have theirs in
    # `attempt_ids`.
    uuid = fields.Char(
        required=True,
        copy=False,
        default=lambda self: str(uuid.uuid4()),
        string="Proof Token",
    )
    wamid = fields.Char(copy=False, string="Provider's Message ID")
    # No index on columns with few values: each costs at every insert of a night.
    company_id = fields.Many2one("res.company", required=True)
    account_id = fields.Many2one("whatsapp.billing.account", ondelete="restrict")
    phone_id = fields.Many2one(
        "whatsapp.billing.phone", ondelete="restrict", string="Our Number"
    )
    partner_id = fields.Many2one(
        "res.partner", index="btree_not_null", string="Contact", ondelete="set null"
    )
    recipient = fields.Char(help="'+' and digits, or the id of a user without number.")
    recipient_uid = fields.Char(string="Provider's User ID")
    # Recipients are compared by this key only (`rules.numbers.person_key`).
    person_key = fields.Char(
        compute="_compute_person_key", store=True, string="WhatsApp Subscriber"
    )
    audience = fields.Selection(const.AUDIENCES, default="customer", required=True)
    purpose = fields.Selection(const.PURPOSES, default="billing", required=True)
    method = fields.Char(help="The public method or user action that made it.")
    key = fields.Char(copy=False, string="Caller's Key")
    result = fields.Json(
        groups=fields.NO_ACCESS, help="What the first call with this key was told."
    )
    user_id = fields.Many2one("res.users", string="Sent By")
    template_id = fields.Many2one("whatsapp.billing.template", ondelete="set null")
    template_name = fields.Char(string="Approved Name")
    lang_code = fields.Char(string="Language")
    category = fields.Selection(const.CATEGORIES)
    document_type = fields.Selection(const.DOCUMENT_TYPES)
    body = fields.Text(string="Text")
    # No user reads it: parameters hold links that open a document without a login.
    # Outbound: `header`, `body`, `buttons`, `button_labels`, `footer`; `snapshot` and
    # `says_more` (`message_changed.py`), `follows_document` (`message_changed.py`);
    # of a list to tap on `button`, `rows` and `about`, the uuid of the message that it
    # asks about. Inbound: `media`; of a changed number `new_sender`, and `is_kept` once
    # somebody kept the old one.
    content = fields.Json(
        groups=fields.NO_ACCESS, help="Rendered header, parameters and buttons."
    )
    document_state = fields.Selection(
        [
            ("none", "No document"),
            ("pending", "To be made"),
            ("ready", "Ready"),
            ("failed", "Failed"),
        ],
        default="none",
        required=True,
    )
    attachment_id = fields.Many2one("ir.attachment", ondelete="set null")
    filename = fields.Char()
    res_model = fields.Char(string="Document Model")
    res_id = fields.Many2oneReference(
        string="Document ID", model_field="res_model", index="btree_not_null"
    )
    document_name = fields.Char(string="Document")
    document_partner_id = fields.Many2one(
        "res.partner",
        index="btree_not_null",
        ondelete="set null",
        string="Customer on the Document",
        help="To notice when the document is another customer's by the time it goes.",
    )
    error_code = fields.Char()
    error_detail = fields.Char()
    error_sentence = fields.Char(compute="_compute_error_sentence", string="Problem")
    attempt_ids = fields.One2many("whatsapp.billing.message.attempt", "message_id")
    queued_at = fields.Datetime(default=fields.Datetime.now)
    sent_at = fields.Datetime()
    delivered_at = fields.Datetime()
    read_at = fields.Datetime()
    failed_at = fields.Datetime()
    unknown_at = fields.Datetime()
    channel_seen_at = fields.Datetime(
        help="When, after its outcome became unknown, its number's webhooks were first"
        " seen alive.",
    )
    expires_at = fields.Datetime(help="End of the message's time to live.")
    consent_id = fields.Many2one(
        "whatsapp.billing.consent", ondelete="restrict", string="Allowed By"
    )
    pricing = fields.Json(help="Category and type as the provider billed it.")
    mail_message_id = fields.Many2one(
        "mail.message", index="btree_not_null", ondelete="set null"
    )
    trace = fields.Json(
        compute="_compute_trace",
        help="Each rule with its value at the moment of the decision:"
        " {rule, value, passed}.",
    )
    # Packed by `rules.traces`: thirty rules a message, stored without their keys.
    trace_data = fields.Json(readonly=True)
    trace_html = fields.Html(compute="_compute_trace_html", string="Why or Why Not")
    preview_html = fields.Html(compute="_compute_preview_html", sanitize=False)
    inbound_type = fields.Char()
    payload = fields.Char(string="Button Pressed")
    context_wamid = fields.Char(string="Answer To")
    is_late = fields.Boolean(
        compute="_compute_is_late",
        help="Accepted, but not delivered within its time to live.",
    )

    _uuid_unique = models.UniqueIndex("(uuid)", "Each message has its own token.")
    _wamid_unique = models.UniqueIndex(
        "(account_id, wamid) WHERE wamid IS NOT NULL",
        "This message was recorded before.",
    )
    _key_unique = models.UniqueIndex(
        "(company_id, method, res_model, res_id, COALESCE(partner_id, 0), key)"
        " WHERE key IS NOT NULL",
        "This key was used before.",
    )
    _due_index = models.Index("(phone_id, priority, id) WHERE state = 'queued'")
    _open_index = models.Index(
        "(state, id) WHERE state IN ('sending', 'held', 'unknown', 'queued')"
    )
    _recipient_index = models.Index("(person_key, id)")
    _created_index = models.Index("(create_date)")
    _inbound_index = models.Index(
        "(person_key, phone_id, sent_at) WHERE direction = 'in'"
    )
    _rare_document_index = models.Index(
        "(res_model) WHERE res_model NOT IN"
        " ('account.move', 'account.payment', 'res.partner')"
    )

    # === COMPUTE METHODS === #

    @api.depends("partner_id", "recipient", "document_name")
    def _compute_display_name(self):
        for message in self:
            # sudo: res.partner - the name of whom a readable message is about
            who = message.partner_id.sudo().display_name or message.recipient
            message.display_name = " - ".join(
                filter(None, [who, message.document_name])
            ) or self.env._("WhatsApp message")

    @api.depends("recipient")
    def _compute_person_key(self):
        for message in self:
            message.person_key = self._get_person_key(message.recipient)

    @api.model
    def _get_person_key(self, recipient):
        return numbers.person_key(recipient or "") or False

    @api.depends("reason")
    def _compute_reason_detail(self):
        for message in self:
            message.reason_detail = message._sentence(
                eligibility.describe(message.reason) if message.reason else ""
            )

    @api.depends("error_code", "error_detail", "state")
    def _compute_error_sentence(self):
        for message in self:
            message.error_sentence = (
                message._refusal_sentence(message.error_code, message.state)
                if message.error_code
                else False
            )

    @api.model
    def _sentence(self, source):
        """Return an English sentence of `rules/` or `clients/` in the user's language.

        Those layers know no Odoo; their sentences are in our term list because
        they are marked there.
        """
        return str(self.env._(_lt(source))) if source else ""

    @api.depends("trace_data")
    def _compute_trace(self):
        for message in self:
            message.trace = traces.unpack(message.trace_data or [])

    @api.depends("trace")
    def _compute_trace_html(self):
        for message in self:
            message.trace_html = self.env["ir.qweb"]._render(
                "whatsapp_billing.message_trace",
                {
                    "rules": [
                        {
                            **rule,
                            "label": message._sentence(
                                eligibility.describe_rule(rule.get("rule", ""))
                            ),
                        }
                        for rule in message.trace or []
                    ],
                    "message": message,
                },
                raise_if_not_found=False,
            )

    @api.depends("body", "content", "state", "is_withdrawn")
    def _compute_preview_html(self):
        for message in self:
            message.preview_html = self.env["ir.qweb"]._render(
                "whatsapp_billing.phone_preview",
                message._preview_values(),
                raise_if_not_found=False,
            )

    def _preview_values(self):
        """Return what the phone preview shows of this message."""
        self.ensure_one()
        # sudo: whatsapp.billing.message - header, footer and labels, no parameters
        content = self.sudo().content or {}
        header = content.get("header") or {}
        return {
            "header": {
                "kind": header.get("kind") or "none",
                "text": header.get("text") or "",
                "filename": self.filename or "",
            },
            # `markup.to_html` escapes the text.
            "body_html": Markup(markup.to_html(self._describe())),
            "footer": content.get("footer") or "",
            "buttons": content.get("button_labels") or [],
            "clock": fields.Datetime.context_timestamp(
                self, self.sent_at or self.queued_at or self.create_date
            ).strftime("%H:%M")
            if (self.sent_at or self.queued_at or self.create_date)
            else "",
            "ticks": self.state,
        }

    @api.depends("state", "expires_at")
    def _compute_is_late(self):
        now = fields.Datetime.now()
        for message in self:
            message.is_late = bool(
                message.state == "sent"
                and message.expires_at
                and message.expires_at < now
            )

    # === CRUD METHODS === #

    @api.model
    def _check_worker(self):
        """Refuse direct edits: the life of a message is not a user's to write."""
        if not self.env.su:
            raise AccessError(
                self.env._("Messages are written by the system; use its buttons.")
            )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_worker()
        # Given here: a stored computed field would write every row twice.
        return super().create(
            [
                vals | {"person_key": self._get_person_key(vals["recipient"])}
                if "recipient" in vals and "person_key" not in vals
                else vals
                for vals in vals_list
            ]
        )

    def write(self, vals):
        self._check_worker()
        return super().write(vals)

    # === ACTION METHODS === #

    def action_retry(self):
        """Queue again what failed, is held, or whose outcome is unknown.

        A new attempt of the same message; what happened before stays in
        `attempt_ids`. For an unknown one this is the person's decision to risk
        a second copy.

        :return: a notification that says how many went back to the queue
        """
        self._check_sender()
        todo = self.filtered(
            lambda m: m.direction == "out" and m.state in RETRYABLE_STATES
        )
        # sudo: whatsapp.billing.message - rows are written by the system only
        todo_sudo = todo.sudo()
        erased_sudo = todo_sudo.filtered(lambda m: not m.recipient)
        erased_sudo._fail_unsendable("")
        erased_sudo._after_state_change()
        todo_sudo -= erased_sudo
        # Without a number there is nothing to call: the message stays failed.
        numberless_sudo = todo_sudo.filtered(lambda m: m._lacks_number())
        todo_sudo -= numberless_sudo
        todo = todo.browse(todo_sudo.ids)
        todo_sudo._begin_attempt()
        # A retry counts its attempts anew, but from 1 where a call was made: such a
        # message may have reached the customer and never counts as unsent.
        called_sudo = todo_sudo.filtered("attempts")
        todo_sudo.write(
            {
                "state": "queued",
                "reason": False,
                "next_attempt_at": False,
                "lease_until": False,
                "unknown_at": False,
                "is_handled": False,
                "failed_at": False,
            }
        )
        called_sudo.attempts = 1
        todo_sudo.filtered(
            lambda m: m.document_state == "failed"
        ).document_state = "pending"
        todo_sudo._reserve_credits()
        todo_sudo._trigger_drain()
        return self._result_notification(
            self._say_retried(len(todo), numberless_sudo.partner_id), todo
        )

    def _say_retried(self, count, numberless):
        """Return how many go out again, and whose number has to be corrected first."""
        said = (
            self.env._("The message goes out again.")
            if count == 1 == len(self)
            else self.env._(
                "%(count)s of %(total)s messages go out again.",
                count=count,
                total=len(self),
            )
        )
        if not numberless:
            return said
        ask = self.env._(
            "No valid number: %(names)s. Correct it first.",
            names=", ".join(numberless.mapped("display_name")),
        )
        return f"{said} {ask}" if count else ask

    def _lacks_number(self):
        """Tell whether the number of a failed message's contact is no valid one by now.

        Where there is none at all, the document may have somebody else who gets it.
        """
        self.ensure_one()
        return self.state == "failed" and bool(
            self.partner_id.wab_number_problem
            and not numbers.is_bsuid(self.recipient or "")
        )

    def action_cancel(self):
        """Withdraw what has not left yet; an unknown one is closed as not sent."""
        self._check_sender()
        # sudo: whatsapp.billing.message - rows are written by the system only
        todo_sudo = self.sudo().filtered(
            lambda m: m.direction == "out" and m.state in CANCELABLE_STATES
        )
        canceled = self.browse(todo_sudo._cancel_apart())
        return self._result_notification(
            self.env._(
                "%(count)s of %(total)s messages cancelled.",
                count=len(canceled),
                total=len(self),
            ),
            canceled,
        )

    def _cancel_apart(self):
        """Cancel these in transactions of their own; return the ids of those.

        A drain changes the same rows many times a second: at Odoo's isolation
        PostgreSQL would refuse each attempt of a user's transaction.
        """
        canceled, others = [], []
        for at in range(0, len(self), CANCEL_BATCH):
            done, left = self[at : at + CANCEL_BATCH]._cancel_in_own_transaction()
            canceled += done
            others += left
        # Rows that this transaction has written are locked by it: cancelled in it.
        canceled += self.browse(others)._cancel_now() if others else []
        self.env.invalidate_all()
        return canceled

    def _cancel_in_own_transaction(self):
        """Return the ids that were cancelled, and those that nobody else can see."""
        self.env.flush_all()
        with self._own_transaction() as env:
            messages = self.with_env(
                env(user=self.env.uid, context=self.env.context, su=True)
            ).browse(self.ids)
            # This cursor would wait for ever for a row that the request's own
            # transaction locks.
            env.cr.execute("SET LOCAL lock_timeout = '5s'")
            try:
                done = self._durably(env, messages._cancel_now, attempts=1)
            except errors.LockNotAvailable:
                return [], self.ids
            env.cr.execute(
                "SELECT id FROM whatsapp_billing_message WHERE id = ANY(%s)"
                " AND NOT state = ANY(%s)",
                [self.ids, list(CANCELABLE_STATES)],
            )
            gone = {row[0] for row in env.cr.fetchall()}
        return done, [message_id for message_id in self.ids if message_id not in gone]

    def _cancel_now(self):
        """Cancel in this transaction what nobody is at; return the ids."""
        # One statement, so that a row claimed at this moment is either cancelled or
        # sent.
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_message
               SET state = 'canceled', reason = NULL, write_uid = %s, write_date = %s
             WHERE id IN (SELECT id FROM whatsapp_billing_message
                           WHERE id = ANY(%s) AND state = ANY(%s)
                        ORDER BY id FOR UPDATE SKIP LOCKED)
         RETURNING id
            """,
            [self.env.uid, fields.Datetime.now(), self.ids, list(CANCELABLE_STATES)],
        )
        canceled = self.browse(row[0] for row in self.env.cr.fetchall())
        canceled._after_state_change()
        return canceled.ids

    def _check_sender(self):
        if not self.env.user.has_group("whatsapp_billing.group_user"):
            raise AccessError(self.env._("You may not send WhatsApp messages."))
        self.check_access("read")

    def _result_notification(self, text, messages):
        kind = "success" if messages else "warning"
        return client_action.notification(kind, text, client_action.soft_reload())

    def action_open_document(self):
        """Open the invoice, payment or contact that this message is about."""
        self.ensure_one()
        self.check_access("read")
        if not self.res_model or not self.res_id:
            raise UserError(self.env._("This message belongs to no document."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    def action_why(self):
        """Open the trace of this message in words."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why?"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [
                (
                    self.env.ref("whatsapp_billing.message_view_form_why").id,
                    "form",
                )
            ],
            "target": "new",
        }

    # === BUSINESS METHODS - ACCESS === #

    # A message is as readable as its document, and without one as its contact. What
    # customers write, to no document in particular, is for those who talk with
    # customers (`group_agent`). Retrying, cancelling and the rest ask the same.

    @api.model
    def _get_reading_sql(self, alias, query):
        def column(name):
            return self._field_to_sql(alias, name, query)

        model, document = column("res_model"), column("res_id")
        branches = [
            SQL(
                "%s = %s AND %s AND %s",
                model,
                name,
                self._readable_sql(name, document),
                self._names_only_readable_sql(alias, query),
            )
            for name in self._get_document_models()
        ]
        partner = column("partner_id")
        contact = [
            SQL(
                "%s = %s AND %s", model, CONTACT, self._readable_sql(CONTACT, document)
            ),
            SQL(
                "%s IS NULL AND %s IS NOT NULL AND %s",
                model,
                partner,
                self._readable_sql(CONTACT, partner),
            ),
        ]
        if self.env.user.has_group("whatsapp_billing.group_agent"):
            # Messages of unknown senders have neither document nor contact.
            branches += [*contact, SQL("%s IS NULL AND %s IS NULL", model, partner)]
        else:
            spoken = SQL("%s = 'out'", column("direction"))
            branches += [SQL("%s AND %s", spoken, branch) for branch in contact]
        return SQL("(%s)", SQL(" OR ").join(SQL("(%s)", one) for one in branches))

    @api.model
    def _names_only_readable_sql(self, alias, query):
        """Return whether all that a message names beside its document is readable.

        Overridden by reminders, which list all that is open.
        """
        return SQL("TRUE")

    @api.model
    def _get_document_models(self):
        """Return the models that messages are about, but contacts."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT res_model FROM whatsapp_billing_message
                 WHERE res_model NOT IN
                       ('account.move', 'account.payment', 'res.partner')
                """
            )
        )
        return [name for name in USUAL_MODELS if name != CONTACT] + [
            row[0] for row in rows
        ]
