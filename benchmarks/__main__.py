# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Run every benchmark, or the one that is named."""

import sys
import time

from tools.ground import Problem, say

from . import (
    bulk,
    collections,
    credits,
    databases,
    documents,
    inbox,
    intake,
    send,
)

# name -> function(databases) that yields figures
BENCHMARKS = {
    "send": send.measure,
    "bulk": bulk.measure,
    "documents": documents.measure,
    "intake": intake.measure,
    "inbox": inbox.measure,
    "collections": collections.measure,
    "credits": credits.measure,
}


def main(only: str = "") -> int:
    """Return 0 when everything could be measured, whatever the figures say."""
    if only and only not in BENCHMARKS:
        say(f"There is no benchmark {only!r}: choose {', '.join(BENCHMARKS)}.")
        return 2
    try:
        with databases.prepared() as ready:
            for name in [only] if only else list(BENCHMARKS):
                started = time.monotonic()
                say(f"\n== {name}")
                for figure in BENCHMARKS[name](ready):
                    say(figure.as_text())
                    say(figure.as_json())
                say(f"({time.monotonic() - started:.0f} s)")
    except Problem as problem:
        say(f"\n{problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
