# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from collections import defaultdict
from datetime import datetime, timezone

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.json import json_default

from ... import const
from ...clients.whatsapp.meta_errors import classify
from ...rules import status as status_rules
from .template_components import without_null

STATES = ("sent", "delivered", "read", "failed")
# The provider says that this person stopped marketing (fact sheet 8, 131050).
STOPPED_MARKETING = "131050"


class Receipt:
    """All that one batch of receipts says about one message."""

    __slots__ = ("account_id", "at", "error", "pricing", "state", "uuid", "wamid")

    def __init__(self, account_id, update):
        self.account_id = account_id
        self.uuid = update.uuid or None
        self.wamid = update.wamid or None
        self.state = None
        self.at = {}
        self.error = None
        self.pricing = None
        self.add(update)

    def add(self, update):
        """Merge one more receipt: the best state, the first moment of each."""
        state = status_rules.ALIASES.get(update.status, update.status)
        if state not in STATES:
            return
        if self.state is None or status_rules.may_advance(self.state, state):
            self.state = state
        moment = _moment(update.timestamp)
        if state not in self.at or moment < self.at[state]:
            self.at[state] = moment
        if update.errors and state == "failed":
            self.error = update.errors[0]
        self.pricing = update.pricing or self.pricing


def _moment(timestamp):
    try:
        return datetime.fromtimestamp(timestamp, timezone.utc).replace(tzinfo=None)
    except (OverflowError, OSError, ValueError):
        return datetime.now(timezone.utc).replace(tzinfo=None)


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - RECEIPTS === #

    @api.model
    def _apply_statuses(self, found):
        """Apply receipts in bulk, whatever their order, number and age.

        :param found: list of (phone, StatusUpdate); a receipt counts only for the
            account that its number belongs to
        :return: ids of the messages that changed
        """
        receipts = {}
        for phone, update in found:
            key = (phone.account_id.id, update.uuid or update.wamid)
            if key in receipts:
                receipts[key].add(update)
            else:
                receipts[key] = Receipt(phone.account_id.id, update)
        receipts = [receipt for receipt in receipts.values() if receipt.state]
        changed, seen = self._update_from(
            [receipt for receipt in receipts if receipt.uuid], "uuid"
        )
        rest = [r for r in receipts if r.wamid and r.uuid not in seen]
        more, _seen = self._update_from(rest, "wamid")
        changed += more
        messages = self.browse(changed)
        messages._after_state_change()
        messages._learn_from_failures()
        return changed

    @api.model
    def _update_from(self, receipts, column):
        """Write one statement for many receipts; return (changed ids, keys found).

        The rank decides (`rules.status`): news moves a row up or does nothing. A
        row that we gave up without the provider ever having accepted it (`failed`
        without a wamid) is lifted by any evidence.
        """
        if not receipts:
            return [], set()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                WITH v (account_id, key, wamid, state, rank, sent_at, delivered_at,
                        read_at, failed_at, error_code, error_detail, pricing)
                AS (VALUES %(values)s),
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
                   SET wamid = COALESCE(m.wamid, v.wamid),
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
             RETURNING m.id, v.key, v.rank > v.old_rank
                """,
                values=SQL(", ").join(map(self._receipt_values(column), receipts)),
                rank=self._rank_sql(),
                life=const.MESSAGE_LIFE_DAYS,
                column=SQL.identifier(column),
            )
        )
        changed = [row[0] for row in rows if row[2]]
        return changed, {row[1] for row in rows}

    @api.model
    def _receipt_values(self, column):
        def values(receipt):
            error = receipt.error if receipt.state == "failed" else None
            pricing = (
                json.dumps(without_null(receipt.pricing), default=json_default)
                if receipt.pricing
                else None
            )
            return SQL(
                "(%s::int, %s::varchar, %s::varchar, %s::varchar, %s::int,"
                " %s::timestamp, %s::timestamp, %s::timestamp, %s::timestamp,"
                " %s::varchar, %s::varchar, %s::jsonb)",
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
                (error.details or error.message or error.title)[:500]
                if error
                else None,
                pricing,
            )

        return values

    @api.model
    def _rank_sql(self):
        cases = SQL(" ").join(
            SQL("WHEN %s THEN %s", state, rank)
            for state, rank in status_rules.RANK.items()
        )
        return SQL("CASE m.state %s ELSE 0 END", cases)

    def _learn_from_failures(self):
        """Let failures that came by receipt stop what they must stop.

        An opt-out on the provider's side becomes a consent row; a template or an
        account that the provider no longer accepts is stopped; others of the same
        class would only fail too.
        """
        failed = self.filtered(lambda m: m.state == "failed" and m.error_code)
        by_code = defaultdict(self.browse)
        for message in failed:
            by_code[message.error_code] |= message
        for code, messages in by_code.items():
            if code == STOPPED_MARKETING:
                messages._withdraw_marketing()
                continue
            kind = classify(code, None).kind
            if kind == "template":
                messages.template_id._apply_send_error_code(code)
            elif kind == "account":
                messages.account_id._apply_error_code(code)

    def _withdraw_marketing(self):
        for message in self:
            self.env["whatsapp.billing.consent"]._withdraw_number(
                message.recipient, "provider", "131050", message, ["marketing"]
            )
