# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict


def count_targets(targets):
    """Count decided targets by reason, and find one example of each template."""
    going = waiting = 0
    reasons = defaultdict(lambda: {"count": 0, "ids": {}, "partner_ids": {}})
    shown = {}
    for target in targets:
        reason = target.decision.reason
        if target.may_go:
            shown.setdefault(
                target.template.id,
                {
                    "template_id": target.template.id,
                    "id": target.record.id,
                    "partner_id": target.partner.id,
                },
            )
        if not reason:
            going += 1
            continue
        waiting += target.may_go
        reasons[reason]["count"] += 1
        for one in (target, *target.covered):
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
