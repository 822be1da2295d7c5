# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Receipts of the provider: what they say of a message, in bulk and in any order."""

import json
import random
from collections import defaultdict
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.json import json_default

from ... import const
from ...clients.whatsapp.error_table import OPTED_OUT
from ...rules import refusals
from ...rules import status as status_rules
from ..common.plain_json import without_null
from .message_attempt import Receipt, free_wamid_sql, rank_sql


def to_datetime(timestamp):
    """Return seconds since 1970 as Odoo keeps a moment; now for what is no time."""
    try:
        return datetime.fromtimestamp(timestamp, timezone.utc).replace(tzinfo=None)
    except (OverflowError, OSError, ValueError):
        return datetime.now(timezone.utc).replace(tzinfo=None)


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

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
