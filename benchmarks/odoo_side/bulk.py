# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Both dialogs as the web client uses them: create, read the form, press."""

import time

from . import setup

WARM_UP = 5


def composer(env, counts):
    """Return one {"open", "press"} per count, each on invoices of its own."""
    setup.connect(env, "http://127.0.0.1:9")
    env.flush_all()
    env.cr.commit()
    _compose(env, 0, WARM_UP)
    offset, results = WARM_UP, []
    for count in counts:
        results.append(_compose(env, offset, count))
        offset += count
    return results


def _compose(env, offset, count):
    moves = setup.invoices(env, offset, count)

    def open_dialog(env):
        action = env["account.move"].browse(moves.ids).action_wab_compose()
        wizard = env[action["res_model"]].browse(action["res_id"])
        _read_form(wizard)
        return wizard.id

    def press(env, wizard_id):
        wizard = env["whatsapp.billing.compose"].browse(wizard_id)
        return wizard.action_send()

    opened, wizard_id = _timed(env, open_dialog)
    pressed, _action = _timed(env, press, wizard_id)
    env.cr.execute(
        """
        SELECT count(*), count(DISTINCT mail_message_id)
          FROM whatsapp_billing_message
         WHERE state = 'queued' AND res_id = ANY(%s)
        """,
        [moves.ids],
    )
    queued, _lines = env.cr.fetchone()
    assert queued == count, queued
    return {"open": opened, "press": pressed}


def core_dialog(env, count):
    """Return {"open", "press"} of core's batch dialog with e-mail."""
    _core(env, 0, WARM_UP)
    return _core(env, WARM_UP, count)


def _core(env, offset, count):
    moves = setup.invoices(env, offset, count)

    def open_dialog(env):
        model = env["account.move.send.batch.wizard"].with_context(
            active_model="account.move", active_ids=moves.ids
        )
        wizard = model.create({})
        _read_form(wizard)
        return wizard.id

    def press(env, wizard_id):
        wizard = env["account.move.send.batch.wizard"].browse(wizard_id)
        return wizard.action_send_and_print()

    opened, wizard_id = _timed(env, open_dialog)
    pressed, _action = _timed(env, press, wizard_id)
    return {"open": opened, "press": pressed}


def _read_form(wizard):
    """Read what the form shows, as the web client does."""
    view = wizard.get_view(view_type="form")
    names = view["models"][wizard._name]
    wizard.web_read({name: {} for name in names})


def _timed(env, step, *arguments):
    """Run one click in a transaction of its own; return its cost and its result."""
    env.flush_all()
    env.cr.commit()
    env.invalidate_all()
    queries = env.cr.sql_log_count
    started = time.perf_counter()
    result = step(env, *arguments)
    env.flush_all()
    env.cr.commit()
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "queries": env.cr.sql_log_count - queries}, result
