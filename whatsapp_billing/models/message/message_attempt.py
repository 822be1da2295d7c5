# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Calls that were made, and the receipts about them: sent, delivered, read, failed.

A message is a row for good, a call is an attempt: a receipt says which of them it is
about, and they come in bulk and in any order.
"""

import json
import random
from collections import defaultdict
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.json import json_default

from ... import const
from ...clients.whatsapp.error_table import OPTED_OUT, UNSENDABLE
from ...rules import numbers, refusals
from ...rules import status as status_rules
from ..common.plain_json import without_null

STATES = ("sent", "delivered", "read", "failed")


class Receipt:
    """All that one batch of receipts says about one call."""

    __slots__ = (
        *("account_id", "at", "error", "pricing", "state", "user_uid", "uuid", "wamid"),
    )

    def __init__(self, account_id, uuid, wamid):
        self.account_id = account_id
        self.uuid = uuid or None
        self.wamid = wamid or None
        self.state = None
        self.at = {}
        self.error = None
        self.pricing = None
        # The recipient's user id at the provider, under which they may write back.
        self.user_uid = None

    def add(self, update, moment):
        """Merge one more receipt: the best state, the first moment of each."""
        self.note(update.status, moment)
        if update.errors and update.status == "failed":
            self.error = update.errors[0]
        self.pricing = update.pricing or self.pricing
        if update.status != "failed" and numbers.is_bsuid(update.user_uid):
            self.user_uid = update.user_uid

    def note(self, state, moment):
        """Take in one state with its moment; words that nobody knows change nothing."""
        state = status_rules.ALIASES.get(state, state)
        if state not in STATES:
            return
        self.state = status_rules.merge(self.state or "queued", state)
        if state not in self.at or moment < self.at[state]:
            self.at[state] = moment


def rank_sql(column):
    """Return SQL for the rank of the state in `column` (`rules.status`)."""
    cases = SQL(" ").join(
        SQL("WHEN %s THEN %s", state, rank) for state, rank in status_rules.RANK.items()
    )
    return SQL("CASE %s %s ELSE 0 END", column, cases)


def free_wamid_sql():
    """Return SQL for the provider's id that `v` brings `m`, if no other message has it.

    Our own proof then tells them apart: one id for two calls must not lose the news of
    either.
    """
    return SQL(
        """(SELECT v.wamid WHERE NOT EXISTS (
                   SELECT 1 FROM whatsapp_billing_message taken
                    WHERE taken.account_id = m.account_id AND taken.wamid = v.wamid))"""
    )


class WhatsappBillingMessageAttempt(models.Model):
    """A call that did not end in `sent`, or was followed by another one."""

    _name = "whatsapp.billing.message.attempt"
    _inherit = [
        "whatsapp.billing.system.rows.mixin",
        "whatsapp.billing.rights.mixin",
    ]
    _description = "WhatsApp Message Attempt"
    _order = "id desc"

    message_id = fields.Many2one(
        "whatsapp.billing.message", required=True, index=True, ondelete="cascade"
    )
    number = fields.Integer(required=True)
    at = fields.Datetime(required=True, default=fields.Datetime.now)
    uuid = fields.Char(string="Proof Token")
    wamid = fields.Char(string="Provider's Message ID")
    state = fields.Selection(
        [
            ("unknown", "Unknown"),
            ("sent", "Sent"),
            ("failed", "Failed"),
            ("delivered", "Delivered"),
            ("read", "Read"),
        ],
        required=True,
        default="failed",
        help="What became of this call, by all that is known today.",
    )
    kind = fields.Char(required=True, string="Kind of Error")
    outcome = fields.Selection(
        [
            ("queued", "Queued again"),
            ("failed", "Failed"),
            ("unknown", "Unknown"),
            ("held", "Held"),
            ("canceled", "Not sent"),
        ],
        required=True,
        help="What became of the message then.",
    )
    error_code = fields.Char()
    error_detail = fields.Char()
    http_status = fields.Integer()
    trace_uid = fields.Char(string="Provider's Trace ID")
    raw = fields.Json()
    explanation = fields.Char(compute="_compute_explanation")

    _uuid_index = models.Index("(uuid) WHERE uuid IS NOT NULL")
    _wamid_index = models.Index("(wamid) WHERE wamid IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends("error_code", "error_detail", "outcome")
    def _compute_explanation(self):
        for attempt in self:
            attempt.explanation = (
                attempt.message_id._refusal_sentence(
                    attempt.error_code, attempt.outcome
                )
                if attempt.error_code
                else attempt.error_detail
            )

    # === BUSINESS METHODS - ACCESS === #

    @api.model
    def _get_reading_sql(self, alias, query):
        """Override: an attempt is as readable as its message."""
        message = self._field_to_sql(alias, "message_id", query)
        return self._readable_sql("whatsapp.billing.message", message)


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - ATTEMPTS === #

    @api.model
    def _find_outgoing(self, account, wamid=None, uuid=None):
        """Return the message of which some attempt has this id; empty if none has.

        Customers answer, and the provider reports, the copy they know: that may be
        of an earlier attempt than the one whose ids the message carries.

        :param account: whose message; of another account none is found
        """
        column = "wamid" if wamid else "uuid"
        if not account or not (wamid or uuid):
            return self.browse()
        mine = [("account_id", "=", account.id), ("direction", "=", "out")]
        found = self.search([(column, "=", wamid or uuid), *mine], limit=1)
        if found:
            return found
        # sudo: whatsapp.billing.message.attempt - only leads to a message, whose own
        # rules then decide
        attempts_sudo = self.env["whatsapp.billing.message.attempt"].sudo()
        attempts = attempts_sudo.search([(column, "=", wamid or uuid)])
        return self.search([("id", "in", attempts.message_id.ids), *mine], limit=1)

    def _begin_attempt(self, state="failed"):
        """Give messages new ids for their next call and keep those of the last one.

        :param state: what is known about the last call, where no row says so yet
        """
        if not self:
            return
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO whatsapp_billing_message_attempt
                   (message_id, number, at, uuid, wamid, state, kind, outcome,
                    error_code, error_detail, create_date, write_date)
            SELECT m.id, m.attempts, %(now)s, m.uuid, m.wamid,
                   CASE WHEN m.state = 'unknown' THEN 'unknown' ELSE %(state)s END,
                   'retry', 'queued', m.error_code, m.error_detail,
                   %(now)s, %(now)s
              FROM whatsapp_billing_message m
             WHERE m.id = ANY(%(ids)s)
               AND (m.attempts > 0 OR m.wamid IS NOT NULL OR m.state = 'unknown'
                    OR %(state)s = 'unknown')
               AND NOT EXISTS (
                   SELECT 1 FROM whatsapp_billing_message_attempt a
                    WHERE a.message_id = m.id AND a.uuid = m.uuid)
          ORDER BY m.id
            """,
            {"ids": self.ids, "state": state, "now": fields.Datetime.now()},
        )
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_message_attempt a SET wamid = m.wamid
              FROM whatsapp_billing_message m
             WHERE m.id = ANY(%(ids)s) AND a.message_id = m.id AND a.uuid = m.uuid
               AND a.wamid IS NULL AND m.wamid IS NOT NULL
            """,
            {"ids": self.ids},
        )
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_message
               SET uuid = gen_random_uuid()::varchar, wamid = NULL
             WHERE id = ANY(%s)
            """,
            [self.ids],
        )
        self.invalidate_recordset(["uuid", "wamid", "attempt_ids"], flush=False)
        self.env["whatsapp.billing.message.attempt"].invalidate_model(flush=False)

    def _fail_unsendable(self, detail):
        """Fail messages of which no call can be made, with a sentence for people.

        :param str detail: what was in the way, for the technical page
        """
        if not self:
            return
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'failed', reason = NULL, failed_at = %s,
                       lease_until = NULL, next_attempt_at = NULL, unknown_at = NULL,
                       error_code = %s, error_detail = %s
                 WHERE id = ANY(%s)
             RETURNING id, attempts
                """,
                fields.Datetime.now(),
                UNSENDABLE,
                detail or None,
                self.ids,
            )
        )
        self.env["whatsapp.billing.message.attempt"].create(
            [
                {
                    "message_id": message_id,
                    "number": max(attempts, 1),
                    "kind": "content",
                    "outcome": "failed",
                    "error_code": UNSENDABLE,
                    "error_detail": detail or False,
                }
                for message_id, attempts in rows
            ]
        )
        self.env.flush_all()
        self.invalidate_recordset(flush=False)

    @api.model
    def _apply_earlier(self, receipts, column):
        """Apply news about calls that were followed by another; one statement each.

        The attempt moves by rank, as a message does. That it failed says nothing
        about the next one. That it was accepted or arrived is shown on the message,
        and what has not left yet then stays here: the customer has, or gets, a copy.

        :return: (changed message ids, keys found, [(message id, error code)])
        """
        if not receipts:
            return [], set(), []
        rows = self.env.execute_query(
            SQL(
                """
                WITH %(receipts)s,
                locked AS (
                    SELECT a.id AS attempt_id, m.id AS message_id, v.*,
                           CASE WHEN a.state = 'failed' AND a.wamid IS NULL THEN 0
                                ELSE %(rank)s END AS old_rank
                      FROM v
                      JOIN whatsapp_billing_message_attempt a ON a.%(column)s = v.key
                      JOIN whatsapp_billing_message m
                        ON m.id = a.message_id AND m.account_id = v.account_id
                     WHERE m.direction = 'out' AND m.%(column)s IS DISTINCT FROM v.key
                  ORDER BY m.id
                FOR NO KEY UPDATE OF m)
                UPDATE whatsapp_billing_message_attempt a
                   SET wamid = COALESCE(a.wamid, v.wamid),
                       state = CASE WHEN v.rank > v.old_rank THEN v.state
                                    ELSE a.state END
                  FROM locked v
                 WHERE a.id = v.attempt_id
             RETURNING v.message_id, a.id, v.key, v.rank > v.old_rank, v.state,
                       v.rank, v.sent_at, v.delivered_at, v.read_at, v.error_code,
                       v.pricing
                """,
                receipts=self._receipts_sql(receipts, column),
                rank=rank_sql(SQL("a.state")),
                column=SQL.identifier(column),
            )
        )
        news = [row for row in rows if row[3]]
        changed = self._show_earlier([row for row in news if row[4] != "failed"])
        self.env["whatsapp.billing.message.attempt"].invalidate_model(flush=False)
        return (
            changed,
            {row[2] for row in rows},
            [(row[0], row[9]) for row in news if row[4] == "failed" and row[9]],
        )

    @api.model
    def _show_earlier(self, rows):
        """Let messages show that an earlier attempt was accepted or has arrived.

        A message whose next call has not begun takes the ids of that attempt back.
        """
        if not rows:
            return []
        values = SQL(", ").join(
            SQL(
                "(%s::int, %s::int, %s::varchar, %s::int, %s::timestamp,"
                " %s::timestamp, %s::timestamp, %s::jsonb)",
                *(row[0], row[1], row[4], row[5], row[6], row[7], row[8]),
                self._as_json(row[10]),
            )
            for row in rows
        )
        changed = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message m
                   SET state = v.state, reason = NULL, error_code = NULL,
                       error_detail = NULL, failed_at = NULL, unknown_at = NULL,
                       lease_until = NULL, next_attempt_at = NULL,
                       sent_at = COALESCE(m.sent_at, v.sent_at, v.delivered_at,
                                          v.read_at),
                       delivered_at = LEAST(m.delivered_at, v.delivered_at),
                       read_at = LEAST(m.read_at, v.read_at),
                       pricing = COALESCE(v.pricing, m.pricing),
                       uuid = CASE WHEN m.state IN ('sending', 'sent', 'delivered')
                                   THEN m.uuid ELSE a.uuid END,
                       wamid = CASE WHEN m.state IN ('sending', 'sent', 'delivered')
                                    THEN m.wamid ELSE a.wamid END
                  FROM (VALUES %(values)s) v (message_id, attempt_id, state, rank,
                        sent_at, delivered_at, read_at, pricing)
                  JOIN whatsapp_billing_message_attempt a ON a.id = v.attempt_id
                 WHERE m.id = v.message_id
                   AND v.rank > CASE WHEN m.state = 'failed' THEN 0
                                     ELSE %(rank)s END
             RETURNING m.id
                """,
                values=values,
                rank=rank_sql(SQL("m.state")),
            )
        )
        return [row[0] for row in changed]

    # === BUSINESS METHODS - RECEIPTS === #

    @api.model
    def _record_receipts(self, found):
        """Apply receipts in bulk, whatever their order, number and age.

        :param found: list of (phone, StatusUpdate); a receipt counts only for the
            account that its number belongs to
        :return: ids of the messages that changed
        """
        receipts = {}
        for phone, update in found:
            account_id = phone.account_id.id
            key = (account_id, update.uuid or update.wamid)
            receipt = receipts.get(key)
            if receipt is None:
                receipt = Receipt(account_id, update.uuid, update.wamid)
                receipts[key] = receipt
            receipt.add(update, to_datetime(update.timestamp))
        rest = [receipt for receipt in receipts.values() if receipt.state]
        changed, failures, ended = [], [], []
        # Found by our uuid, then by the provider's id; each among messages' latest
        # calls first, then among earlier ones.
        for column in ("uuid", "wamid"):
            for apply in (self._update_from, self._apply_earlier):
                ids, seen, failed = apply(
                    [r for r in rest if getattr(r, column)], column
                )
                changed += ids
                failures += failed
                if apply == self._update_from:
                    ended += [message_id for message_id, _code in failed]
                rest = [r for r in rest if getattr(r, column) not in seen]
        # As a set: receipts about two calls of one message name it twice.
        messages = self.browse(set(changed))
        self.browse(ended)._judge_failures()
        messages._after_state_change()
        self._learn_from_failures(failures)
        return messages.ids

    @api.model
    def _update_from(self, receipts, column):
        """Write one statement for many receipts about the latest call of messages.

        The rank decides (`rules.status`): news moves a row up or does nothing. A
        row that we gave up without the provider ever having accepted it (`failed`
        without a wamid) is lifted by any evidence.

        :return: (changed message ids, keys found, [(message id, error code)])
        """
        if not receipts:
            return [], set(), []
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                WITH %(receipts)s,
                locked AS (
                    SELECT m.id, v.*,
                           CASE WHEN m.state = 'failed' AND m.wamid IS NULL THEN 0
                                ELSE %(rank)s END AS old_rank
                      FROM v JOIN whatsapp_billing_message m
                        ON m.%(column)s = v.key AND m.account_id = v.account_id
                     WHERE m.direction = 'out'
                  ORDER BY m.id
                FOR NO KEY UPDATE OF m)
                UPDATE whatsapp_billing_message m
                   SET wamid = COALESCE(m.wamid, %(free_wamid)s),
                       recipient_uid = CASE WHEN m.recipient IS NOT NULL
                            THEN COALESCE(m.recipient_uid, v.user_uid) END,
                       state = CASE WHEN v.rank > v.old_rank THEN v.state
                                    ELSE m.state END,
                       reason = CASE WHEN v.rank > v.old_rank THEN NULL
                                     ELSE m.reason END,
                       sent_at = COALESCE(m.sent_at, v.sent_at, v.delivered_at,
                                          v.read_at),
                       expires_at = COALESCE(
                           m.expires_at, v.sent_at + %(life)s * interval '1 day'),
                       delivered_at = LEAST(m.delivered_at, v.delivered_at),
                       read_at = LEAST(m.read_at, v.read_at),
                       failed_at = CASE WHEN v.rank > v.old_rank
                                        THEN COALESCE(v.failed_at, m.failed_at)
                                        ELSE m.failed_at END,
                       unknown_at = NULL, lease_until = NULL,
                       next_attempt_at = NULL,
                       error_code = CASE WHEN v.rank > v.old_rank THEN v.error_code
                                         ELSE m.error_code END,
                       error_detail = CASE WHEN v.rank > v.old_rank
                                           THEN v.error_detail
                                           ELSE m.error_detail END,
                       pricing = COALESCE(v.pricing, m.pricing)
                  FROM locked v
                 WHERE m.id = v.id
             RETURNING m.id, v.key, v.rank > v.old_rank, v.state, v.error_code
                """,
                receipts=self._receipts_sql(receipts, column),
                rank=rank_sql(SQL("m.state")),
                life=const.MESSAGE_LIFE_DAYS,
                free_wamid=free_wamid_sql(),
                column=SQL.identifier(column),
            )
        )
        news = [row for row in rows if row[2]]
        return (
            [row[0] for row in news],
            {row[1] for row in rows},
            [(row[0], row[4]) for row in news if row[3] == "failed" and row[4]],
        )

    @api.model
    def _receipts_sql(self, receipts, column):
        """Return receipts as the table `v` of a WITH query, found by `column`."""
        return SQL(
            """v (account_id, key, wamid, state, rank, sent_at, delivered_at,
                  read_at, failed_at, error_code, error_detail, pricing, user_uid)
            AS (VALUES %s)""",
            SQL(", ").join(self._receipt_sql(r, column) for r in receipts),
        )

    @api.model
    def _receipt_sql(self, receipt, column):
        error = receipt.error if receipt.state == "failed" else None
        return SQL(
            "(%s::int, %s::varchar, %s::varchar, %s::varchar, %s::int,"
            " %s::timestamp, %s::timestamp, %s::timestamp, %s::timestamp,"
            " %s::varchar, %s::varchar, %s::jsonb, %s::varchar)",
            receipt.account_id,
            getattr(receipt, column),
            receipt.wamid,
            receipt.state,
            status_rules.RANK[receipt.state],
            receipt.at.get("sent"),
            receipt.at.get("delivered"),
            receipt.at.get("read"),
            receipt.at.get("failed"),
            error.code if error else None,
            (error.details or error.message or error.title)[:500] if error else None,
            self._as_json(receipt.pricing),
            receipt.user_uid,
        )

    @api.model
    def _as_json(self, data):
        return json.dumps(without_null(data), default=json_default) if data else None

    def _judge_failures(self):
        """Decide what becomes of messages that a receipt has just reported failed.

        As for what the provider refuses in its answer: what passes by itself goes
        again within the message's time to live, later each time; what account or
        template are to blame for waits for them; the rest has failed.
        """
        if not self:
            return
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT id, attempts, uuid, wamid, error_code, error_detail,
                       expires_at, template_id, account_id
                  FROM whatsapp_billing_message
                 WHERE id = ANY(%s) AND state = 'failed'
              ORDER BY id
                """,
                self.ids,
            )
        )
        if not rows:
            return
        decided = [(row, self._state_after_refusal(row)) for row in rows]
        self._keep_failed_attempts(decided)
        again = [
            (row, values) for row, values in decided if values["state"] != "failed"
        ]
        if again:
            self._queue_again(again)

    @api.model
    def _state_after_refusal(self, row):
        """Return state, reason and time of the next attempt of one failed message.

        As `drain_record._next_state` for what an answer says: `rules.refusals`.
        """
        account = self.env["whatsapp.billing.account"].browse(row["account_id"] or ())
        spec = account._get_profile().errors.classify(row["error_code"] or "")
        now = fields.Datetime.now()
        values = {"at": None, "kind": spec.kind}
        verdict = refusals.judge(
            refusals.Refusal(
                spec.kind,
                row["attempts"],
                random.random(),
                spec.retry_after,
                refusals.life_left(row["expires_at"], now),
                has_template=bool(row["template_id"]),
            )
        )
        values |= {"state": verdict.state, "reason": verdict.reason}
        if verdict.delay is not None:
            values["at"] = now + timedelta(seconds=verdict.delay)
        return values

    @api.model
    def _keep_failed_attempts(self, decided):
        """Write the failed calls down; one that a row tells of already is corrected."""
        attempts = self.env["whatsapp.billing.message.attempt"]
        known = {
            attempt.uuid: attempt
            for attempt in attempts.search(
                [("uuid", "in", [row["uuid"] for row, _values in decided])]
            )
        }
        new = []
        for row, judged in decided:
            values = {
                "state": "failed",
                "kind": judged["kind"],
                "outcome": judged["state"],
                "wamid": row["wamid"],
                "error_code": row["error_code"],
                "error_detail": row["error_detail"],
            }
            if row["uuid"] in known:
                known[row["uuid"]].write(values)
            else:
                number = max(row["attempts"], 1)
                values |= {"message_id": row["id"], "number": number}
                new.append(values | {"uuid": row["uuid"]})
        attempts.create(new)
        self.env.flush_all()

    @api.model
    def _queue_again(self, decided):
        """Put messages back, with new ids: what comes now is another call."""
        values = SQL(", ").join(
            SQL(
                "(%s::int, %s::varchar, %s::varchar, %s::timestamp)",
                *(row["id"], judged["state"], judged["reason"], judged["at"]),
            )
            for row, judged in decided
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_message m
                   SET state = v.state, reason = v.reason, next_attempt_at = v.at,
                       failed_at = NULL, sent_at = NULL, wamid = NULL,
                       uuid = gen_random_uuid()::varchar
                  FROM (VALUES %s) v (id, state, reason, at)
                 WHERE m.id = v.id
                """,
                values,
            )
        )

    @api.model
    def _learn_from_failures(self, failures):
        """Let failures that came by receipt stop what they must stop.

        An opt-out on the provider's side becomes a consent row; a template or an
        account that the provider no longer accepts is stopped; others of the same
        class would only fail too.

        :param failures: [(message id, error code)], of whatever attempt
        """
        by_code = defaultdict(self.browse)
        for message_id, code in failures:
            by_code[code] |= self.browse(message_id)
        for code, found in by_code.items():
            for account, messages in found.grouped("account_id").items():
                spec = account._get_profile().errors.classify(code)
                messages._learn_from_refusal(spec)

    def _learn_from_refusal(self, spec):
        """Let what the provider says of all these stop what it must stop."""
        if spec.meaning == OPTED_OUT:
            self._withdraw_marketing(spec.code)
        elif spec.kind == "template":
            self.template_id._apply_send_error_code(spec.code)
        elif spec.kind == "account":
            self.account_id._apply_error_code(spec.code)
        elif spec.kind == "number":
            self.phone_id._apply_number_error(spec.code)

    def _withdraw_marketing(self, code):
        for message in self:
            self.env["whatsapp.billing.consent"]._set_number(
                message.recipient,
                False,
                "provider",
                code,
                message,
                ["marketing"],
            )


def to_datetime(timestamp):
    """Return seconds since 1970 as Odoo keeps a moment; now for what is no time."""
    try:
        return datetime.fromtimestamp(timestamp, timezone.utc).replace(tzinfo=None)
    except (OverflowError, OSError, ValueError):
        return datetime.now(timezone.utc).replace(tzinfo=None)
