# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How the journal is written: who waits for whom, and who does not.

Two kinds of lines. Those that can only make more available (purchase, allowance,
release, a settlement within its reservation) are just inserted, by everybody at once.
Those that take (reserve, what a settlement costs more, expire, a refund) hold the
wallet's row: for writing where the wallet is limited, so that one sees what the other
took; shared where it is not, so that nobody waits at all. A taker on a limited wallet
folds all totals into the row before it commits: whoever took at the same time from an
older snapshot gets PostgreSQL's serialization error and is repeated by Odoo, and the
row's CHECK is the last word.
"""

from dataclasses import dataclass
from decimal import Decimal

from odoo import fields, models
from odoo.tools import SQL

from ...rules import ledger, pricing
from ..worker.transactions import RepeatTransaction

# SQL: what is available now; only in a statement under the wallet's lock.
AVAILABLE = """
    (SELECT w.total_balance - w.total_reserved + COALESCE((
            SELECT sum(d.amount - d.reserved_amount)
              FROM whatsapp_billing_credit_delta d WHERE d.wallet_id = w.id), 0)
       FROM whatsapp_billing_credit_wallet w WHERE w.id = %s)
"""

# SQL for no limit: comparisons with NULL are not false, and LEAST ignores it.
UNLIMITED = SQL("NULL::numeric")


@dataclass(frozen=True, slots=True)
class Line:
    """What to write about a message; `cost_before` is what was written as its cost."""

    message_id: int
    posting: ledger.Posting | None
    market: str | None = None
    in_window: bool | None = None
    cost_before: Decimal = pricing.ZERO


class WhatsappBillingCreditWallet(models.Model):
    _inherit = "whatsapp.billing.credit.wallet"

    # === BUSINESS METHODS - LOCKS AND TOTALS === #

    def _begin_taking(self):
        """Hold the wallet as taking needs it; return whether it is limited."""
        self.ensure_one()
        self.flush_recordset(["is_limited"])
        before = self._read_limit(SQL(""))
        lock = SQL("FOR NO KEY UPDATE") if before else SQL("FOR SHARE")
        if self._read_limit(lock) != before:
            raise RepeatTransaction("The wallet's limit has just changed.")
        return before

    def _read_limit(self, lock):
        rows = self.env.execute_query(
            SQL(
                "SELECT is_limited FROM whatsapp_billing_credit_wallet "
                "WHERE id = %s %s",
                self.id,
                lock,
            )
        )
        return bool(rows and rows[0][0])

    def _fold(self):
        """Add the totals that came since to the wallets' rows.

        A message that began before its wallet got a limit may commit after it; its
        part is closed like everything that was used without one.
        """
        for wallet in self:
            wallet._close_unlimited()
            self.env.cr.execute(
                """
                WITH gone AS (
                    DELETE FROM whatsapp_billing_credit_delta WHERE wallet_id = %(id)s
                 RETURNING amount, reserved_amount, shortfall)
                UPDATE whatsapp_billing_credit_wallet
                   SET total_balance = total_balance + s.amount,
                       total_reserved = total_reserved + s.reserved_amount,
                       total_shortfall = total_shortfall + s.shortfall
                  FROM (SELECT COALESCE(sum(amount), 0) AS amount,
                               COALESCE(sum(reserved_amount), 0) AS reserved_amount,
                               COALESCE(sum(shortfall), 0) AS shortfall FROM gone) s
                 WHERE id = %(id)s
                """,
                {"id": wallet.id},
            )
        self._forget_figures()

    # === BUSINESS METHODS - SINGLE LINES === #

    def _give(self, kind, amount, **values):
        """Write a line that adds credits; return whether it was not there already.

        What was charged without being covered is taken from it first.
        """
        self.ensure_one()
        amount = pricing.exact(amount)
        if not self._insert(kind, SQL("%s", amount), **values):
            return False
        self._collect_shortfall()
        self._forget_figures()
        self._trigger_release()
        return True

    def _take(self, kind, amount, **values):
        """Write a line that takes credits away, as far as they are there.

        :return: how much was taken
        """
        self.ensure_one()
        amount = pricing.exact(amount)
        limited = self._begin_taking()
        wanted = SQL("LEAST(%s, GREATEST(0, %s))", amount, SQL(AVAILABLE, self.id))
        rows = self._insert(kind, SQL("-(%s)", wanted), **values)
        if limited:
            self._fold()
        self._forget_figures()
        self._trigger_check()
        return pricing.exact(-rows[0][0]) if rows else pricing.ZERO

    def _insert(self, kind, amount, **values):
        """Insert one line; a repeat of a unique one changes nothing."""
        self.env.flush_all()
        values = {
            "date": fields.Datetime.now(),
            "attempt_no": 0,
            "user_id": self.env.uid,
            **values,
        }
        return self.env.execute_query(
            SQL(
                """
                INSERT INTO whatsapp_billing_credit_entry
                       (wallet_id, kind, amount, reserved_amount, %(names)s)
                SELECT %(id)s, %(kind)s, v.amount, 0, %(values)s
                  FROM (SELECT %(amount)s AS amount) v
                 WHERE v.amount <> 0 OR %(period)s IS NOT NULL
           ON CONFLICT DO NOTHING RETURNING amount
                """,
                names=SQL(", ").join(SQL.identifier(name) for name in values),
                id=self.id,
                kind=kind,
                amount=amount,
                # A used-up allowance gets its line of 0 as well: it has expired for
                # that period.
                period=values.get("period"),
                values=SQL(", ").join(SQL("%s", value) for value in values.values()),
            )
        )

    def _collect_shortfall(self):
        """Take what was not covered before from what is available now."""
        owed = self._read_figures()[self.id][2]
        if owed <= 0:
            return
        limited = self._begin_taking()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO whatsapp_billing_credit_entry
                       (wallet_id, kind, amount, reserved_amount, shortfall, date,
                        attempt_no, note, user_id)
                SELECT %(id)s, 'adjust', -taken, 0, -taken, %(now)s, 0, %(note)s, %(uid)s
                  FROM (SELECT LEAST(%(owed)s, %(free)s) AS taken) v WHERE taken > 0
                """,
                id=self.id,
                now=fields.Datetime.now(),
                note=self.env._("Charged before without credits"),
                uid=self.env.uid,
                owed=owed,
                free=SQL(AVAILABLE, self.id),
            )
        )
        if limited:
            self._fold()

    def _start_limit(self):
        """Let a wallet that only measured start its limit at zero, not below."""
        for wallet in self:
            self.env.cr.execute(
                "SELECT 1 FROM whatsapp_billing_credit_wallet WHERE id = %s "
                "FOR NO KEY UPDATE",
                [wallet.id],
            )
            wallet._close_unlimited(starting=True)
        self._fold()

    def _close_unlimited(self, starting=False):
        """Bring a limited wallet to zero where it was used without limit before."""
        if not starting and not self._read_limit(SQL("")):
            return
        balance, reserved, _shortfall = self._read_figures()[self.id]
        if balance < reserved:
            self._insert(
                "adjust",
                SQL("%s", reserved - balance),
                note=self.env._("Used before there was a limit"),
            )

    def _adjust(self, amount, note):
        """Correct the balance by hand, with the reason; never below what is there.

        :return: the amount booked
        """
        self.ensure_one()
        amount = pricing.exact(amount)
        if amount < 0:
            return -self._take("adjust", -amount, note=note)
        self._give("adjust", amount, note=note)
        return amount

    # === BUSINESS METHODS - MESSAGES IN BULK === #

    def _reserve(self, rows):
        """Reserve for many messages in one statement, in their order.

        Those for which there is no more credit are held; those that were held for
        that reason and fit now are queued.

        :param rows: list of dicts `message_id`, `credits`, `cost`, `rate_id`, `attempt_no`,
            `market`, `category`, `in_window`
        :return: [(message id, state)] of the messages that changed
        """
        self.ensure_one()
        limited = self._begin_taking()
        changed = self.env.execute_query(
            SQL(
                """
                WITH v AS (
                    SELECT * FROM unnest(%(ids)s::int[], %(credits)s::numeric[],
                           %(costs)s::numeric[], %(rates)s::int[], %(attempt_nos)s::int[],
                           %(markets)s::varchar[], %(categories)s::varchar[],
                           %(windows)s::boolean[]) WITH ORDINALITY
                        AS v (message_id, credits, cost, rate_id, attempt_no, market,
                              category, in_window, place)),
                sized AS (
                    SELECT v.*, credits = 0 OR COALESCE(%(free)s
                                >= sum(credits) OVER (ORDER BY place), TRUE) AS fits
                      FROM v),
                written AS (
                    INSERT INTO whatsapp_billing_credit_entry
                           (wallet_id, kind, amount, reserved_amount, message_id,
                            rate_id, cost, market, category, in_window, attempt_no, date,
                            user_id)
                    SELECT %(wallet)s, 'reserve', 0, credits, message_id, rate_id,
                           cost, market, category, in_window, attempt_no, %(now)s, %(uid)s
                      FROM sized WHERE fits ORDER BY place)
                UPDATE whatsapp_billing_message m
                   SET state = CASE WHEN s.fits THEN 'queued' ELSE 'held' END,
                       reason = CASE WHEN s.fits THEN NULL ELSE 'no_credit' END,
                       trace_data = CASE WHEN s.fits THEN m.trace_data ELSE
                           COALESCE(m.trace_data, '[]'::jsonb) || %(trace)s::jsonb END
                  FROM sized s
                 WHERE m.id = s.message_id
                   AND m.state = CASE WHEN s.fits THEN 'held' ELSE 'queued' END
             RETURNING m.id, m.state
                """,
                **_columns(rows),
                wallet=self.id,
                free=SQL(AVAILABLE, self.id) if limited else UNLIMITED,
                now=fields.Datetime.now(),
                uid=self.env.uid,
                trace='[["credit_available", false, false]]',
            )
        )
        if limited:
            self._fold()
        self._forget_figures()
        self._check_low()
        return changed

    def _post_lines(self, lines):
        """Write what became of messages: settlements, releases, corrections.

        :param lines: list of `Line`; those without a posting change nothing
        """
        self.ensure_one()
        lines = [line for line in lines if line.posting]
        if not lines:
            return
        taking = any(line.posting.extra > 0 for line in lines)
        limited = taking and self._begin_taking()
        self.env.cr.execute(
            SQL(
                """
                WITH v (message_id, kind, attempt_no, amount, extra, reserved, shortfall,
                        category, rate_id, pricing_type, is_free, cost, market,
                        in_window, place) AS (VALUES %(values)s),
                sized AS (
                    SELECT v.*, GREATEST(0, LEAST(extra, %(free)s
                           - (sum(extra) OVER (ORDER BY place) - extra))) AS taken
                      FROM v)
                INSERT INTO whatsapp_billing_credit_entry
                       (wallet_id, kind, amount, reserved_amount, shortfall,
                        message_id, rate_id, cost, market, category, in_window,
                        pricing_type, is_free, attempt_no, date)
                SELECT %(wallet)s, kind, amount - taken, reserved,
                       shortfall + extra - taken, message_id, rate_id, cost, market,
                       category, in_window, pricing_type, is_free, attempt_no, %(now)s
                  FROM sized ORDER BY place
           ON CONFLICT DO NOTHING
                """,
                values=SQL(", ").join(self._line_values(lines)),
                free=SQL(AVAILABLE, self.id) if limited else UNLIMITED,
                wallet=self.id,
                now=fields.Datetime.now(),
            )
        )
        if limited:
            self._fold()
        self._forget_figures()
        if taking:
            self._check_low()

    def _line_values(self, lines):
        """Yield the lines as SQL rows, with their cost at today's rate."""
        today = fields.Date.context_today(self)
        cache = {}
        for place, line in enumerate(lines):
            cost = pricing.ZERO
            if line.posting.kind != "release":
                if not line.posting.settlement.is_free:
                    cost = self._get_cost(line.posting.rate, today, cache)
                cost -= line.cost_before
            yield _line_sql(place, line, cost)


def _columns(rows):
    """Return the arrays of a reservation: one parameter a column, whatever the size."""
    names = {
        "ids": "message_id",
        "credits": "credits",
        "costs": "cost",
        "rates": "rate_id",
        "attempt_nos": "attempt_no",
        "markets": "market",
        "categories": "category",
        "windows": "in_window",
    }
    return {name: [row[key] for row in rows] for name, key in names.items()}


def _line_sql(place, line, cost):
    posting = line.posting
    return SQL(
        "(%s::int, %s::varchar, %s::int, %s::numeric, %s::numeric, %s::numeric,"
        " %s::numeric, %s::varchar, %s::int, %s::varchar, %s::boolean, %s::numeric,"
        " %s::varchar, %s::boolean, %s::int)",
        line.message_id,
        posting.kind,
        posting.attempt_no,
        posting.amount,
        posting.extra,
        posting.reserved,
        posting.shortfall,
        posting.category or None,
        posting.rate.uid if posting.rate else None,
        posting.settlement.type or None,
        posting.settlement.is_free,
        cost,
        line.market,
        line.in_window,
        place,
    )
