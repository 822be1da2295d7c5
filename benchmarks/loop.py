# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The bare loop: one `requests` session, threads, no Odoo, no database."""

import itertools
import sys
import threading
import time

import requests
from requests.adapters import HTTPAdapter


def payload(number: int) -> dict:
    """Return what our client sends for the same message."""
    values = ["Customer", f"INV/2026/{number:05d}", "$ 1,150.00"]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+346{number:08d}",
        "type": "template",
        "template": {
            "name": "bench_invoice",
            "language": {"code": "en"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": v} for v in values],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "0",
                    "parameters": [{"type": "text", "text": "my/invoices/1?x=1"}],
                },
            ],
        },
        "biz_opaque_callback_data": f"00000000-0000-0000-0000-{number:012d}",
    }


def run(url: str, count: int, threads: int) -> float:
    """Return messages a second."""
    session = requests.Session()
    # Reading proxies from the environment at each call would only slow it down.
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=threads))
    session.headers["Authorization"] = "Bearer token"
    numbers = itertools.count()

    def work() -> None:
        while (number := next(numbers)) < count:
            answer = session.post(url, json=payload(number), timeout=30)
            answer.raise_for_status()
            answer.json()["messages"][0]["id"]

    pool = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter()
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    print(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
