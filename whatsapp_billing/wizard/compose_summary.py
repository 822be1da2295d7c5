# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the composer says of many messages at once."""

from collections import defaultdict


def count_targets(all_planned):
    """Count planned messages by reason, and find one example of each template."""
    going = waiting = 0
    reasons = defaultdict(lambda: {"count": 0, "ids": {}, "partner_ids": {}})
    shown = {}
    for planned in all_planned:
        reason = planned.decision.reason
        if planned.will_be_queued:
            shown.setdefault(
                planned.template.id,
                {
                    "template_id": planned.template.id,
                    "id": planned.record.id,
                    "partner_id": planned.partner.id,
                },
            )
        if not reason:
            going += 1
            continue
        waiting += planned.will_be_queued
        reasons[reason]["count"] += 1
        for one in (planned, *planned.also_about):
            reasons[reason]["ids"][one.record.id] = True
            if one.partner:
                reasons[reason]["partner_ids"][one.partner.id] = True
    return {
        "going": going,
        "waiting": waiting,
        "shown": [entry for key, entry in shown.items() if key],
        "reasons": [
            {
                "reason": reason,
                "count": entry["count"],
                "ids": list(entry["ids"]),
                "partner_ids": list(entry["partner_ids"]),
            }
            for reason, entry in sorted(reasons.items())
        ],
    }
