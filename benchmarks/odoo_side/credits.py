# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A limited wallet that messages are reserved, settled and summed in."""

import time

from . import setup

CREDITS = 10_000_000


def reserve(env, counts, baseline_count, rounds):
    """Return queries of each count and [[ours, the ORM's], ...] seconds a message."""
    account = setup.connect(env, "http://127.0.0.1:9", header_type="none")
    wallet = _wallet(env)
    found = {"queries": [], "reserve": [], "settle": []}
    _reserve(env, _messages(env, account, 10))
    for count in counts:
        queries, _seconds = _reserve(env, _messages(env, account, count))
        found["queries"].append(queries)
    for _round in range(rounds):
        messages = _messages(env, account, counts[-1])
        _queries, seconds = _reserve(env, messages)
        settling = _settle(env, messages)
        others = _messages(env, account, baseline_count)
        for step, ours, values in (
            ("reserve", seconds, {"kind": "reserve", "reserved_amount": 2}),
            ("settle", settling, {"kind": "settle", "amount": -2}),
        ):
            baseline = _one_by_one(env, wallet, others, values)
            found[step].append([ours / len(messages), baseline / len(others)])
    # What is measured must also be right.
    env.cr.execute(
        """
        SELECT count(*) FILTER (WHERE kind = 'reserve'),
               count(*) FILTER (WHERE kind = 'settle')
          FROM whatsapp_billing_credit_entry
        """
    )
    reserved, settled = env.cr.fetchone()
    expected = rounds * (counts[-1] + baseline_count)
    assert settled == expected, (settled, expected)
    assert reserved == expected + 10 + sum(counts), reserved
    wallet.verified_at = False
    assert wallet._verify(env.cr.now())
    return found


def balance(env, entries, rounds):
    """Return [[our balance, the sum of the journal], ...] in seconds."""
    wallet = _wallet(env)
    env.cr.execute(
        """
        INSERT INTO whatsapp_billing_credit_entry
               (wallet_id, kind, amount, reserved_amount, attempt_no, date)
        SELECT %s, 'adjust', 0.000001 * (n %% 7), 0, 0, now() at time zone 'utc'
          FROM generate_series(1, %s) n
        """,
        [wallet.id, entries],
    )
    env.cr.commit()
    env.cr.execute("ANALYZE whatsapp_billing_credit_entry")
    env.cr.commit()
    pairs = []
    for _round in range(rounds):
        wallet._forget_figures()
        started = time.perf_counter()
        ours = wallet.balance
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        env.cr.execute(
            "SELECT sum(amount) FROM whatsapp_billing_credit_entry "
            "WHERE wallet_id = %s",
            [wallet.id],
        )
        summed = env.cr.fetchone()[0]
        pairs.append([seconds, time.perf_counter() - started])
        assert abs(ours - summed) < 1e-6, (ours, summed)
    return pairs


def _wallet(env):
    wallet = env["whatsapp.billing.credit.wallet"].sudo()._for_company(env.company)
    if not wallet.is_limited:
        wallet.is_limited = True
        wallet._give("purchase", CREDITS)
        env.flush_all()
        env.cr.commit()
    return wallet


def _messages(env, account, count):
    """Return fresh queued messages, as queueing leaves them before the reservation."""
    env.cr.execute(
        """
        INSERT INTO whatsapp_billing_message
               (direction, state, uuid, company_id, account_id, phone_id, recipient,
                template_name, category, audience, purpose, document_state, priority,
                queued_at)
        SELECT 'out', 'queued', gen_random_uuid(), %s, %s, %s,
               '+346' || lpad(n::text, 8, '0'), 'bench', 'utility', 'customer',
               'billing', 'none', 10, now() at time zone 'utc'
          FROM generate_series(1, %s) n RETURNING id
        """,
        [env.company.id, account.id, account.phone_ids.id, count],
    )
    ids = [row[0] for row in env.cr.fetchall()]
    env.cr.commit()
    env.cr.execute("ANALYZE whatsapp_billing_message")
    env.cr.execute("ANALYZE whatsapp_billing_credit_entry")
    env.cr.commit()
    return env["whatsapp.billing.message"].sudo().browse(ids)


def _reserve(env, messages):
    queries = env.cr.sql_log_count
    started = time.perf_counter()
    held = messages._reserve_credits()
    env.cr.commit()
    seconds = time.perf_counter() - started
    assert not held
    return env.cr.sql_log_count - queries, seconds


def _settle(env, messages):
    """Settle in slices as large as the inbox takes them; return seconds."""
    env.cr.execute(
        "UPDATE whatsapp_billing_message SET state = 'delivered' WHERE id = ANY(%s)",
        [messages.ids],
    )
    env.cr.commit()
    started = time.perf_counter()
    for start in range(0, len(messages), 1000):
        messages[start : start + 1000]._close_credits()
        env.cr.commit()
    return time.perf_counter() - started


def _one_by_one(env, wallet, messages, values):
    entries = env["whatsapp.billing.credit.entry"].sudo()
    started = time.perf_counter()
    for message in messages:
        entries.create(
            {"wallet_id": wallet.id, "message_id": message.id, "amount": 0, **values}
        )
        env.cr.commit()
    return time.perf_counter() - started
