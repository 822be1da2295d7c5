# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a button answers where there is no record to open."""


def close():
    """Return the action that closes a dialog."""
    return {"type": "ir.actions.act_window_close"}


def soft_reload():
    """Return the action that reads again what is on the screen; the page stays."""
    return {"type": "ir.actions.client", "tag": "soft_reload"}


def notification(kind, message, then=None, **params):
    """Return the action that shows a message in the corner of the screen.

    :param str kind: success, info, warning or danger
    :param dict then: an action that follows at once
    :param params: `title`, `sticky`
    """
    if then:
        params["next"] = then
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {"type": kind, "message": message, **params},
    }
