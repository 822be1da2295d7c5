# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A message's part in the journal: reserved, then settled or released."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ...rules import ledger, markets, pricing
from ..sending.message_drain import of_account
from .wallet import DEFAULT_LIFE, GRACE
from .wallet_ledger import Line
from .wallet_price import Item

# Most messages released at a time when credits come.
WAITING_BATCH = 5000


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    credit_entry_ids = fields.One2many(
        "whatsapp.billing.credit.entry",
        "message_id",
        string="Credit Entries",
        groups="whatsapp_billing.group_cost",
    )
    credits = fields.Float(
        digits=(16, 6),
        compute="_compute_credits",
        groups="whatsapp_billing.group_cost",
        help="Charged, or reserved while it is on its way.",
    )
    credit_cost = fields.Float(
        string="Cost",
        digits=(16, 6),
        compute="_compute_credits",
        groups="whatsapp_billing.group_cost",
        help="What WhatsApp charges for it, in the currency of the credits.",
    )
    credit_currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_credits",
        groups="whatsapp_billing.group_cost",
    )

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_credits(self):
        self.env["whatsapp.billing.credit.entry"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.message_id,
                       sum(e.reserved_amount - e.amount + COALESCE(e.shortfall, 0)),
                       COALESCE(sum(e.cost) FILTER (
                           WHERE e.kind IN ('settle', 'adjust')),
                           max(e.cost) FILTER (WHERE e.kind = 'reserve')),
                       max(w.currency_id)
                  FROM whatsapp_billing_credit_entry e
                  JOIN whatsapp_billing_credit_wallet w ON w.id = e.wallet_id
                 WHERE e.message_id = ANY(%s) GROUP BY e.message_id
                """,
                self._origin.ids,
            )
        )
        found = {row[0]: row[1:] for row in rows}
        for message in self:
            credit, cost, currency = found.get(message._origin.id, (0, 0, False))
            message.credits = float(credit)
            message.credit_cost = float(cost or 0) if credit else 0.0
            message.credit_currency_id = currency

    # === BUSINESS METHODS - RESERVE === #

    def _reserve_credits(self):
        """Reserve for what is queued; hold what there is no credit for.

        Set-based: a fixed number of queries for thousands of messages. What has a
        reservation already keeps it, so it may be called again at any time.

        :return: ids of the messages that wait or go on because of it
        """
        return self._reserve_for(self._read_unreserved())

    @api.model
    def _reserve_for(self, rows):
        """Reserve for messages that have no reservation, in the order given.

        :param rows: dictionaries as `_read_unreserved` returns them
        """
        changed = []
        for wallet, mine in self._by_wallet(rows):
            changed += wallet._reserve(_reserve_rows(wallet, mine))
        ids = [message_id for message_id, _state in changed]
        self.browse(ids).invalidate_recordset(
            ["state", "reason", "trace", "trace_data"], flush=False
        )
        return ids

    def _read_unreserved(self):
        """Return what of these goes out and has no reservation, in sending order."""
        if not self:
            return []
        self.env.flush_all()
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT m.id, m.company_id, m.phone_id, m.recipient, m.template_name,
                       m.category, COALESCE(e.reserves, 0) AS attempt_no
                  FROM whatsapp_billing_message m
             LEFT JOIN LATERAL (
                       SELECT count(*) FILTER (WHERE kind = 'reserve') AS reserves,
                              count(*) FILTER (WHERE kind = 'release') AS releases,
                              bool_or(kind = 'settle') AS settled
                         FROM whatsapp_billing_credit_entry WHERE message_id = m.id
                       ) e ON TRUE
                 WHERE m.id = ANY(%s) AND m.direction = 'out'
                   AND (m.state = 'queued'
                        OR (m.state = 'held' AND m.reason = 'no_credit'))
                   AND e.settled IS NOT TRUE
                   AND COALESCE(e.reserves, 0) = COALESCE(e.releases, 0)
              ORDER BY m.priority, m.id
                """,
                self.ids,
            )
        )

    @api.model
    def _by_wallet(self, rows):
        """Return [(wallet, rows)], always in the order of the wallets' ids."""
        groups = defaultdict(list)
        for row in rows:
            groups[row["company_id"]].append(row)
        # sudo: whatsapp.billing.credit.wallet - the system books, whoever sends
        wallets = self.env["whatsapp.billing.credit.wallet"].sudo()
        pairs = [
            (wallets._for_company(self.env["res.company"].browse(company_id)), mine)
            for company_id, mine in groups.items()
        ]
        return sorted(pairs, key=lambda pair: pair[0].id)

    # === BUSINESS METHODS - WHAT GOES AGAIN === #

    @api.model
    def _keep_within_credits(self, ids):
        """Reserve for messages that go again; return the ids of what stayed queued."""
        messages = self.browse(ids)
        messages._reserve_credits()
        return messages.filtered(lambda message: message.state == "queued").ids

    @api.model
    def _release_no_credit(self, account_id=None):
        """Queue what waited for credits, oldest first, as far as they reach.

        Whether it is still true is looked at again before the call, as always.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM whatsapp_billing_message
                 WHERE state = 'held' AND reason = 'no_credit' AND direction = 'out'
                   AND phone_id IS NOT NULL AND %s
              ORDER BY priority, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
                """,
                of_account(account_id),
                WAITING_BATCH,
            )
        )
        waiting = self.browse(row[0] for row in rows)
        ids = waiting._reserve_credits()
        self.browse(ids)._after_state_change()
        return ids

    # === BUSINESS METHODS - SETTLE AND RELEASE === #

    @api.model
    def _record_receipts(self, found):
        """Override to correct what the provider names otherwise after the fact."""
        changed = super()._record_receipts(found)
        updates = [update for _phone, update in found if update.pricing]
        if updates:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT id FROM whatsapp_billing_message
                     WHERE state IN ('delivered', 'read')
                       AND (uuid = ANY(%(uuids)s) OR wamid = ANY(%(wamids)s)
                            OR id IN (
                               SELECT message_id FROM whatsapp_billing_message_attempt
                                WHERE uuid = ANY(%(uuids)s)
                                   OR wamid = ANY(%(wamids)s)))
                    """,
                    uuids=[update.uuid for update in updates if update.uuid],
                    wamids=[update.wamid for update in updates if not update.uuid],
                )
            )
            known = set(changed)
            self.browse(row[0] for row in rows if row[0] not in known)._close_credits()
        return changed

    def _close_credits(self):
        """Settle what was delivered, and give back what ended."""
        # sudo: whatsapp.billing.message - the journal is the system's to write
        messages_sudo = self.sudo()
        rows = messages_sudo._read_ended()
        if not rows:
            return
        history = messages_sudo._read_history([row["id"] for row in rows])
        for wallet, mine in messages_sudo._by_wallet(rows):
            wallet._post_lines(
                [_line(wallet, row, history.get(row["id"], [])) for row in mine]
            )

    def _read_ended(self):
        if not self:
            return []
        self.env.flush_all()
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT id, company_id, phone_id, recipient, template_name, category,
                       state, pricing, queued_at
                  FROM whatsapp_billing_message
                 WHERE id = ANY(%s) AND direction = 'out'
                   AND state IN ('delivered', 'read', 'failed', 'canceled')
              ORDER BY id
                """,
                self.ids,
            )
        )

    @api.model
    def _read_history(self, ids):
        """Return {message id: entries, oldest first} as dicts."""
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT message_id, kind, attempt_no, amount, reserved_amount, shortfall,
                       category, market, in_window, rate_id, is_free, date, cost
                  FROM whatsapp_billing_credit_entry
                 WHERE message_id = ANY(%s) ORDER BY id
                """,
                ids,
            )
        )
        found = defaultdict(list)
        for row in rows:
            found[row["message_id"]].append(row)
        return found

    @api.model
    def _release_overdue(self, now, limit):
        """Give back what is reserved for messages that will never be delivered.

        :return: how many there were
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.id FROM whatsapp_billing_message m
                 WHERE m.state = 'sent' AND m.direction = 'out'
                   AND COALESCE(m.expires_at, m.sent_at + %s) < %s
                   AND (SELECT count(*) FILTER (WHERE kind = 'reserve')
                               > count(*) FILTER (WHERE kind IN ('release', 'settle'))
                          FROM whatsapp_billing_credit_entry
                         WHERE message_id = m.id)
              ORDER BY m.id LIMIT %s FOR NO KEY UPDATE OF m SKIP LOCKED
                """,
                DEFAULT_LIFE,
                now - GRACE,
                limit,
            )
        )
        self.browse(row[0] for row in rows)._release_credits()
        return len(rows)

    def _release_credits(self):
        """Give back the reservations of messages, whatever their state."""
        if not self:
            return
        self.env.flush_all()
        history = self._read_history(self.ids)
        rows = self.env.execute_query_dict(
            SQL(
                "SELECT id, company_id FROM whatsapp_billing_message "
                "WHERE id = ANY(%s) ORDER BY id",
                self.ids,
            )
        )
        for wallet, mine in self._by_wallet(rows):
            wallet._post_lines(
                [
                    Line(row["id"], ledger.release(_entries(history[row["id"]])))
                    for row in mine
                ]
            )

    @api.model
    def _erase_person(self, partners, companies=None):
        """Override to give back what was reserved for messages that are withdrawn."""
        companies = companies or self.env.companies
        waiting = self.search(
            [
                ("company_id", "in", companies.ids),
                ("partner_id", "in", partners.ids),
                ("state", "in", ("queued", "held", "unknown")),
            ]
        )
        result = super()._erase_person(partners, companies)
        # sudo: whatsapp.billing.credit.entry - the journal is the system's to write
        waiting._close_credits()
        return result


def _reserve_rows(wallet, rows):
    items = [
        Item(
            row["recipient"] or "",
            (row["category"] or "utility") if row["template_name"] else "",
            row["phone_id"] or 0,
        )
        for row in rows
    ]
    return [
        {
            "message_id": row["id"],
            "credits": priced.credits,
            "cost": priced.cost,
            "rate_id": priced.rate.uid if priced.rate else None,
            "attempt_no": row["attempt_no"],
            "market": priced.market,
            "category": priced.category,
            "in_window": priced.in_window,
        }
        for row, priced in zip(rows, wallet._price_items(items), strict=True)
    ]


def _entries(rows):
    """Return the journal's rows about a message as `rules.ledger` reads them."""
    return [
        ledger.Entry(
            kind=row["kind"],
            attempt_no=row["attempt_no"],
            amount=pricing.exact(row["amount"]),
            reserved=pricing.exact(row["reserved_amount"]),
            category=row["category"] or "",
            rate_uid=row["rate_id"],
            shortfall=pricing.exact(row["shortfall"] or 0),
            is_free=bool(row["is_free"]),
        )
        for row in rows
    ]


def _line(wallet, row, history):
    """Return what one message's state asks for, as a `Line` for the wallet."""
    reserve = next((old for old in reversed(history) if old["kind"] == "reserve"), None)
    market = reserve["market"] if reserve else markets.market_of(row["recipient"] or "")
    inside = bool(reserve and reserve["in_window"])
    moment = reserve["date"] if reserve else row["queued_at"] or fields.Datetime.now()
    category = (row["category"] or "utility") if row["template_name"] else "service"
    posting = ledger.close(
        _entries(history),
        row["state"],
        pricing.settlement(row["pricing"]),
        reserve["category"] if reserve else category,
        lambda wanted: wallet._get_price(market, wanted, inside, moment.date()),
    )
    costs = [old["cost"] or 0 for old in history if old["kind"] in ("settle", "adjust")]
    return Line(row["id"], posting, market, inside, pricing.exact(sum(costs)))
