# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the dialogs show of a message that does not exist yet."""

from markupsafe import Markup

from ..rules import markup


def render_phone(env, found):
    """Return the phone as HTML.

    :param dict found: one answer of `whatsapp.billing.message._preview`
    """
    content = found["content"] or {}
    header = content.get("header") or {}
    return env["ir.qweb"]._render(
        "whatsapp_billing.phone_preview",
        {
            "header": {
                "kind": header.get("kind") or "none",
                "text": header.get("text") or "",
                "filename": found["filename"] or "",
            },
            "body_html": Markup(markup.to_html(found["body"])),
            "footer": content.get("footer") or "",
            "buttons": content.get("button_labels") or [],
            "clock": "",
            "ticks": "",
        },
    )


def render_problems(env, results):
    """Return who is not reached and why, as HTML; empty where everybody is.

    :param list results: answers of `whatsapp.billing.message._preview`
    """
    problems = [found for found in results if found["reason"]]
    if not problems:
        return False
    return env["ir.qweb"]._render(
        "whatsapp_billing.send_problems",
        {
            "problems": [
                {
                    "name": found["partner_name"] or env._("Nobody"),
                    "number": found["recipient"],
                    "detail": found["detail"],
                    "waits": found["waits"],
                }
                for found in problems
            ]
        },
    )
