# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import base64
import hashlib
import logging
import time
from collections import defaultdict
from datetime import datetime, timedelta, timezone

from psycopg2 import errors
from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, groupby

from ...clients.whatsapp import get_profile
from ...clients.whatsapp.base import (
    AccountEvent,
    InboundMessage,
    PreferenceEvent,
    StatusUpdate,
    TemplateEvent,
)
from ..message.message_attempt import to_datetime
from ..worker.budget import Budget
from .message_inbound_batch import Incoming

_logger = logging.getLogger(__name__)

# The index that refuses a second row for the same message of a customer.
KEPT = "whatsapp_billing_message_wamid_unique"

BATCH = 200
BATCH_BYTES = 16 * 1024 * 1024
# Customers' messages applied in one transaction; the rest of an event goes into the
# next one (`done_messages`).
BATCH_MESSAGES = 200
BATCH_CHARACTERS = 500_000
# One process asks for a job at most this often; a job finds all events that were
# committed before it started.
TRIGGER_SECONDS = 1.0
# After these an event that could not be applied is tried again; then an activity asks a
# person.
RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
# Safety margin between inserting an event and committing it, in seconds.
TRIGGER_MARGIN = 0.2


class WhatsappBillingWebhookEvent(models.Model):
    """One POST of a provider, byte for byte, and what became of it.

    The controller verifies and stores; this model processes, in bulk, and may do
    so again at any time: processing an event twice changes nothing.
    """

    _name = "whatsapp.billing.webhook.event"
    _inherit = ["whatsapp.billing.worker.mixin", "whatsapp.billing.system.rows.mixin"]
    _description = "WhatsApp Webhook Event"
    _order = "id desc"
    _rec_name = "received_at"

    account_id = fields.Many2one(
        "whatsapp.billing.account", index="btree_not_null", ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", store=True
    )
    app_key = fields.Char(help="The webhook address that received it.")
    signer_ids = fields.Json(
        groups=fields.NO_ACCESS,
        help="Ids of the accounts of that address whose secret signed it: those that"
        " it may speak for, now and whenever it is processed again.",
    )
    provider = fields.Char(required=True)
    body = fields.Binary(attachment=False, required=True)
    digest = fields.Char(required=True)
    received_at = fields.Datetime(required=True, default=fields.Datetime.now)
    state = fields.Selection(
        [
            ("new", "New"),
            ("done", "Done"),
            ("ignored", "Ignored"),
            ("error", "Error"),
        ],
        default="new",
        required=True,
    )
    error = fields.Char()
    attempts = fields.Integer(help="How often it could not be processed, in a row.")
    next_attempt_at = fields.Datetime(string="Tried Again")
    done_messages = fields.Integer(
        help="How many of its customers' messages were applied already, while others of"
        " the same event still wait.",
    )
    is_unread = fields.Boolean(
        help="Not even its receipts could be read, so nobody knows whom it is about.",
    )

    _digest_unique = models.UniqueIndex(
        "(app_key, digest)", "This event was received before."
    )
    _new_index = models.Index("(id) WHERE state = 'new'")
    _received_index = models.Index("(received_at)")
    _retry_index = models.Index("(next_attempt_at) WHERE next_attempt_at IS NOT NULL")
    _unread_index = models.Index("(app_key, received_at) WHERE is_unread")

    _last_trigger = {}

    def init(self):
        """Read again what an earlier version of the module could not read."""
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_webhook_event
               SET state = 'new', attempts = 0, next_attempt_at = NULL
             WHERE state = 'error'
            """
        )

    # === COMPUTE METHODS === #

    @api.depends("account_id")
    def _compute_company_id(self):
        """An event stays with the company whose customers wrote.

        Also when its account is handed to another company, and processed again then.
        """
        for event in self:
            event.company_id = event.company_id or event.account_id.company_id

    # === BUSINESS METHODS - INTAKE === #

    @api.model
    def _receive(self, token, body, headers, url=""):
        """Verify raw bytes, keep them once, and say that there is work.

        :param str token: the opaque token of the address
        :param bytes body: the body as it came
        :param headers: mapping of the request's headers
        :param str url: the address as the provider called it
        :return: True when genuine (stored or seen before), False to answer 403
        """
        # sudo: whatsapp.billing.account - a provider has no user; the signature is
        # what authenticates, and it is checked before anything is read or written
        accounts_sudo = self.env["whatsapp.billing.account"].sudo()
        found = accounts_sudo._webhook_credentials(token)
        if not found:
            return False
        provider, rows = found
        signers, companies = self._find_signers(provider, rows, body, headers, url)
        if not signers:
            return False
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            INSERT INTO whatsapp_billing_webhook_event
                   (app_key, provider, body, digest, signer_ids, company_id,
                    received_at, state, create_date)
            VALUES (%s, %s, %s, %s, %s, %s, %s, 'new', %s)
            ON CONFLICT (app_key, digest) DO NOTHING
            """,
            [
                token,
                provider,
                base64.b64encode(body),
                hashlib.sha256(body).hexdigest(),
                Json(signers),
                # Without a company no user reads the event: it may be any signer's.
                companies.pop() if len(companies) == 1 else None,
                now,
                now,
            ],
        )
        if self.env.cr.rowcount:
            self._trigger_inbox()
        return True

    @api.model
    def _find_signers(self, provider, rows, body, headers, url):
        """Return the ids of the accounts whose secret signed, and their companies.

        Every secret is tried once, so the time does not tell which one matched.
        """
        owners = defaultdict(list)
        for account_id, company_id, secrets in rows:
            for secret in secrets:
                owners[secret].append((account_id, company_id))
        verify = get_profile(provider).verify_webhook
        found = [
            owner
            for secret, owned in owners.items()
            if verify(body, headers, [secret], url)
            for owner in owned
        ]
        return sorted({row[0] for row in found}), {row[1] for row in found}

    @api.model
    def _trigger_inbox(self):
        """Ask for a processing job, at most once a second from this process.

        A job that is about to start may miss what is not committed yet, so the last
        moments before it belong to the next one.
        """
        now = time.time()
        name = self.env.cr.dbname
        if now < self._last_trigger.get(name, 0) - TRIGGER_MARGIN:
            return
        at = (now + TRIGGER_MARGIN) // 1 + TRIGGER_SECONDS
        self._last_trigger[name] = at
        # sudo: queue.job - the provider's call has no user of its own
        self.sudo().with_delay(
            eta=datetime.fromtimestamp(at, timezone.utc).replace(tzinfo=None),
            identity_key=f"whatsapp_billing.inbox.{at:.0f}",
        )._job_process()

    # === BUSINESS METHODS - PROCESSING === #

    @api.model
    def _job_process(self):
        """Process what is new, and have another job go on when time is up."""
        total, is_left = self._process_new(Budget.of_run())
        if is_left:
            # sudo: queue.job - goes on as the system
            self.sudo().with_delay()._job_process()
        return total

    @api.model
    def _process_new(self, budget):
        """Process new events, batch by batch, until none is left or time is up.

        :return: (events processed, whether some are left)
        """
        total, is_left = 0, True
        while is_left and not budget.is_over():
            with self._own_transaction() as env:
                events = env[self._name]
                count = self._durably(env, events._process_batch)
            total += count
            is_left = bool(count)
        if total:
            self.env["whatsapp.billing.message"]._trigger_media()
        return total, is_left

    @api.model
    def _process_batch(self):
        """Process the oldest new events in one transaction; return how many."""
        self.env.cr.execute(
            """
            SELECT id, octet_length(body) FROM whatsapp_billing_webhook_event
             WHERE state = 'new' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            """,
            [BATCH],
        )
        ids, size = [], 0
        for event_id, length in self.env.cr.fetchall():
            size += length
            if ids and size > BATCH_BYTES:
                break
            ids.append(event_id)
        events = self.browse(ids)
        if events:
            events._process_safely()
        return len(events)

    def _process_safely(self):
        """Process together; when that fails, one by one, keeping who is to blame."""
        try:
            with self.env.cr.savepoint():
                self._process()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            # An event that cannot be applied keeps its bytes and shows the error; the
            # later ones go on.
            _logger.exception("Webhook events %s could not be applied", self.ids)
            self.env.invalidate_all()
            if len(self) == 1:
                self._note_fault(f"{type(error).__name__}: {error}", is_unread=True)
                return
            for event in self:
                event._process_safely()

    def _process(self):
        """Apply events in bulk; one that cannot be read spoils no other."""
        parsed = {}
        for event in self:
            parsed[event] = event._parse()
        routes = self.env["whatsapp.billing.account"]._routes(self)
        messages = self.env["whatsapp.billing.message"]
        batch, rest = self._collect_inbound(parsed, routes)
        messages._lock_people(batch)
        unread = self._apply_receipts(parsed, routes)
        faults = self._apply_inbound(batch) | unread
        unfinished = self.browse({incoming.event.id for incoming in rest})
        closed = defaultdict(self.browse)
        for event in self:
            fault, is_unread = faults.get(event), event in unread
            if event in unfinished:
                event._note_progress(batch, fault, is_unread)
            else:
                values = event._finish(parsed[event], routes, fault, is_unread)
                closed[tuple(sorted(values.items()))] |= event
        for values, events in closed.items():
            # Nearly all end alike.
            events.write(dict(values))
        messages._tell_people()
        self._note_seen_numbers(parsed, routes)

    def _parse(self):
        self.ensure_one()
        try:
            # Times in an event are capped at its arrival, also when it is processed
            # again.
            received = int(self.received_at.replace(tzinfo=timezone.utc).timestamp())
            return get_profile(self.provider).parse_webhook(
                base64.b64decode(self.body), received
            )
        except (ValueError, KeyError) as error:
            # The bytes stay the same, so trying again is for a later version of the
            # module.
            self._note_fault(str(error), is_unread=True, is_final=True)
            return []

    def _note_fault(self, text, is_unread=False, is_final=False):
        """Keep what went wrong with an event, and when it is tried again.

        :param bool is_unread: whether its receipts are unknown, too
        :param bool is_final: whether trying again by itself is of no use
        """
        self.ensure_one()
        delays = () if is_final else RETRY_DELAYS
        is_last = self.attempts >= len(delays)
        self.write(
            {
                "state": "error",
                "error": text[:500],
                "attempts": self.attempts + 1,
                "next_attempt_at": False
                if is_last
                else fields.Datetime.now() + delays[self.attempts],
                "is_unread": is_unread,
                "done_messages": 0,
            }
        )
        if is_last:
            self._ask_about_fault()

    def _get_account(self):
        """Return the account that an event is about, else one whose secret signed it."""
        accounts = self.env["whatsapp.billing.account"]
        return self.account_id or accounts.browse(self.signer_ids or []).exists()[:1]

    def _fault_title(self):
        return self.env._("WhatsApp events could not be read")

    def _ask_about_fault(self):
        """Put one activity on the account for all its events that failed for good."""
        account = self._get_account()
        if account:
            account._warn_once(
                account,
                self._fault_title(),
                self.env._(
                    "WhatsApp reported something that could not be processed; it may be"
                    " a receipt or an answer of a customer. Open Received Events, filter"
                    " Error, and press Process Again, or update the module."
                ),
            )

    def _close_activity(self):
        """Take the activity back when the last of the address's faults is mended."""
        account = self._get_account()
        others = self.search_count(
            [("app_key", "=", self.app_key), ("state", "=", "error")], limit=1
        )
        if account and not others:
            account.activity_ids.filtered(
                lambda activity: activity.summary == self._fault_title()
            ).unlink()

    def _apply_receipts(self, parsed, routes):
        """Apply the receipts of all events at once; return {event: what went wrong}.

        One that cannot be applied is taken back alone, and stays in its event.
        """
        found, faults = [], {}
        for event, updates in parsed.items():
            if event.done_messages:
                continue
            for update in updates:
                if isinstance(update, StatusUpdate):
                    found += [
                        (event, phone, update)
                        for phone in routes.senders(event, update)
                    ]

        def on_fault(item, error):
            _logger.error(
                "A receipt of webhook event %s could not be applied",
                item[0].id,
                exc_info=error,
            )
            faults[item[0]] = f"{type(error).__name__}: {error}"[:500]

        messages = self.env["whatsapp.billing.message"]
        self._separately(
            self.env,
            lambda some: messages._record_receipts([item[1:] for item in some]),
            found,
            on_fault,
        )
        return faults

    def _collect_inbound(self, parsed, routes):
        """Return what customers sent as it was said: (for this transaction, the rest).

        By the provider's second, then as it came. Of an event with more than fits, the
        next transaction goes on behind what was done.
        """
        found = []
        for event, updates in parsed.items():
            theirs = [
                Incoming(event, account, routes.phone(event, update), update)
                for update in updates
                if isinstance(update, InboundMessage)
                and update.wamid
                and (update.sender or update.user_uid)
                for account in routes.accounts(event, update)
            ]
            theirs.sort(key=lambda incoming: incoming.update.timestamp)
            found += theirs[event.done_messages :]
        found.sort(key=lambda incoming: incoming.update.timestamp)
        fitting = _count_fitting(found)
        return found[:fitting], found[fitting:]

    @api.model
    def _apply_inbound(self, batch):
        """Keep what customers sent; return {event: what went wrong with one of them}.

        What cannot be applied is taken back alone, and stays in its event.
        """
        faults = {}

        def on_fault(incoming, error):
            if _is_kept(error):
                # Another worker has kept this message, of a repeated POST: nothing is
                # lost.
                return
            _logger.error(
                "A message of webhook event %s could not be applied",
                incoming.event.id,
                exc_info=error,
            )
            faults[incoming.event] = f"{type(error).__name__}: {error}"[:500]

        messages = self.env["whatsapp.billing.message"]
        self._separately(self.env, messages._keep_inbound, batch, on_fault)
        return faults

    def _note_progress(self, batch, problem, is_unread=False):
        """Remember how far this event is, and what went wrong, for the next round."""
        self.ensure_one()
        values = {
            "done_messages": self.done_messages
            + sum(incoming.event == self for incoming in batch)
        }
        if problem or not self.done_messages:
            values["error"] = problem or False
        if is_unread:
            values["is_unread"] = True
        self.write(values)

    def _finish(self, updates, routes, problem=None, is_unread=False):
        """Apply what is neither a receipt nor a message.

        :param problem: what went wrong with its receipts and messages
        :param bool is_unread: whether a receipt of it could not be applied
        :return: values that close the event, none where it is seen to already
        """
        self.ensure_one()
        if self.state == "error":
            return {}
        known = self.env["whatsapp.billing.account"]
        if self.done_messages and self.error:
            # Faults of the event's earlier rounds are kept beside this one's.
            problem, is_unread = self.error, is_unread or self.is_unread
        for update in updates:
            for account in routes.accounts(self, update):
                known |= account
                problem = self._apply_one(account, update) or problem
        values = self._get_owner(known)
        if problem:
            self.write(values)
            self._note_fault(problem, is_unread)
            return {}
        values |= {
            "state": "done" if known else "ignored",
            "error": False,
            "attempts": 0,
            "next_attempt_at": False,
            "is_unread": False,
            "done_messages": 0,
        }
        if not self.attempts:
            return values
        self.write(values)
        self._close_activity()
        return {}

    @api.model
    def _get_owner(self, accounts):
        """Return the values that say whose an event is, by the accounts it names.

        One that names nobody stays with the company whose address got it. One that
        names accounts of several companies is nobody's to read: each would read what
        customers wrote to the others.
        """
        if len(accounts.company_id) > 1:
            return {"account_id": False, "company_id": False}
        return {"account_id": accounts[-1].id} if accounts else {}

    def _apply_one(self, account, update):
        """Apply one change by itself; return what went wrong, if anything.

        Receipts and messages of customers are applied with those of other events.
        """
        handlers = {
            TemplateEvent: self._apply_template,
            AccountEvent: self._apply_account,
            PreferenceEvent: self._apply_preference,
        }
        handler = handlers.get(type(update))
        if handler is None:
            return False
        problems = []

        def on_fault(_update, error):
            # The bytes are kept, and the event can be processed again.
            _logger.error(
                "Webhook event %s could not be applied", self.id, exc_info=error
            )
            problems.append(f"{type(error).__name__}: {error}"[:500])

        self._separately(
            self.env, lambda some: handler(account, *some), [update], on_fault
        )
        return bool(problems) and problems[0]

    def _apply_template(self, account, update):
        template = self.env["whatsapp.billing.template"]._find_remote(
            account, update.template_uid, update.name, update.lang_code
        )
        template._apply_event(update)

    def _apply_account(self, account, update):
        account._apply_event(update)

    def _apply_preference(self, account, update):
        # A preference that neither grants nor withdraws changes no consent.
        if not update.is_marketing or update.is_granted == update.is_withdrawn:
            return
        if not (update.sender or update.user_uid):
            return
        consents = self.env["whatsapp.billing.consent"]
        consents._set_number(
            update.sender or update.user_uid,
            update.is_granted,
            "provider",
            f"WhatsApp: {update.value} {update.category}",
            None,
            ["marketing"],
            account.company_id,
            to_datetime(update.timestamp),
        )

    def _note_seen_numbers(self, parsed, routes):
        """Remember when each number's webhooks were last seen alive."""
        status_at, any_at = {}, {}
        for event, updates in parsed.items():
            for update in updates:
                phone = routes.phone(event, update)
                if not phone:
                    continue
                any_at[phone.id] = max(
                    any_at.get(phone.id, event.received_at), event.received_at
                )
                if isinstance(update, StatusUpdate):
                    status_at[phone.id] = any_at[phone.id]
        for phone_id, at in any_at.items():
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE whatsapp_billing_phone
                       SET last_webhook_at = GREATEST(last_webhook_at, %s),
                           last_status_at = GREATEST(last_status_at, %s)
                     WHERE id = %s
                    """,
                    at,
                    status_at.get(phone_id),
                    phone_id,
                )
            )
        self.env["whatsapp.billing.message"]._note_channel(any_at)
        phones = self.env["whatsapp.billing.phone"].browse(any_at)
        phones.invalidate_recordset(["last_webhook_at", "last_status_at"])
        for account, phone_list in groupby(phones, lambda p: p.account_id):
            at = max(any_at[phone.id] for phone in phone_list)
            if not account.last_webhook_at or account.last_webhook_at < at:
                account.last_webhook_at = at

    # === ACTION METHODS === #

    def action_process_again(self):
        """Process events once more: after a mended bug, history heals itself."""
        if not self.env.user.has_group("whatsapp_billing.group_manager"):
            raise AccessError(self.env._("Only a manager may process events again."))
        self.check_access("read")
        # sudo: whatsapp.billing.webhook.event - events are the system's to write
        self.sudo().write(
            {
                "state": "new",
                "error": False,
                "next_attempt_at": False,
                "done_messages": 0,
            }
        )
        self._trigger_inbox()

    # === CRON METHODS === #

    @api.model
    def _cron_inbox(self):
        """Process what no job has processed, and try again what failed."""
        with self._own_transaction() as env:
            self._durably_alone(env, env[self._name]._retry_due, "failed events")
        _total, is_left = self._process_new(Budget.of_run())
        if is_left:
            # sudo: ir.cron - where no job runner lives nobody else would go on
            self.env.ref("whatsapp_billing.ir_cron_inbox").sudo()._trigger()

    @api.model
    def _retry_due(self):
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_webhook_event
               SET state = 'new', next_attempt_at = NULL
             WHERE id IN (SELECT id FROM whatsapp_billing_webhook_event
                           WHERE next_attempt_at <= %s AND state = 'error'
                      FOR UPDATE SKIP LOCKED)
            """,
            [fields.Datetime.now()],
        )

    @api.model
    def _erase_older(self, company_id, limit):
        """Delete processed events that hold texts and numbers older than `limit`."""
        self.env.cr.execute(
            """
            DELETE FROM whatsapp_billing_webhook_event
             WHERE received_at < %s AND state != 'new'
               AND (company_id = %s OR company_id IS NULL)
            """,
            [limit, company_id],
        )


def _count_fitting(found):
    """Return how many of these messages one transaction applies, at least one."""
    characters = 0
    for place, incoming in enumerate(found[:BATCH_MESSAGES]):
        characters += len(incoming.update.text)
        if place and characters > BATCH_CHARACTERS:
            return place
    return min(len(found), BATCH_MESSAGES)


def _is_kept(error):
    """Tell whether a row was refused because the same message stands there already."""
    return (
        isinstance(error, errors.UniqueViolation) and error.diag.constraint_name == KEPT
    )
