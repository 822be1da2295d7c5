# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A message is a row for good, a call is an attempt: which of them is news about?"""

from odoo import api, fields, models
from odoo.tools import SQL

from ...clients.whatsapp.error_table import UNSENDABLE
from ...rules import numbers
from ...rules import status as status_rules

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
    _inherit = ["whatsapp.billing.system.rows.mixin"]
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
