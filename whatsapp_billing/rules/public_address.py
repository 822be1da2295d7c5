# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Can a customer open this address from their own phone?"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, Literal

Problem = Literal["", "no_address", "plain", "private", "local_name", "credentials"]

# Names that only a network of one's own resolves: RFC 6761 and 6762, RFC 8375, ICANN's
# `.internal` (2024), and what routers give out.
LOCAL_ENDINGS: Final = frozenset(
    [
        *("local", "localhost", "localdomain", "lan", "home", "intranet", "internal"),
        *("corp", "private", "test", "invalid", "example", "onion", "arpa"),
    ]
)
_AUTHORITY = re.compile(r"(https?)://([^/?#\s]*)", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)


def problem(url: str, *, is_loopback_fine: bool = False) -> Problem:
    """Return what keeps a customer from opening an address, "" for nothing.

    :param is_loopback_fine: with a provider on this very machine (the simulator),
        customers are on it too
    """
    match = _AUTHORITY.match(url.strip())
    if match is None or not match[2]:
        return "no_address"
    authority = match[2].replace("\\", "@")
    if "@" in authority:
        return "credentials"
    host = _host(authority)
    address = _ip(host)
    is_loopback = host == "localhost" or (address is not None and address.is_loopback)
    if is_loopback and is_loopback_fine:
        return ""
    if address is not None and not address.is_global:
        return "private"
    if address is None and ("." not in host or host.rpartition(".")[2] in LOCAL_ENDINGS):
        return "local_name"
    return "plain" if match[1].lower() == "http" else ""


def links(text: str) -> list[str]:
    """Return the addresses in a text."""
    return _LINK.findall(text)


def _host(authority: str) -> str:
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.partition(":")[0].rstrip(".").lower()


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, in any of the ways browsers read one."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _old_ipv4(host)
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return mapped or found


def _old_ipv4(host: str) -> ipaddress.IPv4Address | None:
    """Read 127.1, 0x7f000001, 017700000001: the last part fills what is left."""
    parts = host.split(".")
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        if not re.fullmatch(r"0x[0-9a-f]{1,8}|[0-9]{1,12}", part, re.ASCII):
            return None
        is_octal = part.startswith("0") and part.isdigit() and len(part) > 1
        try:
            numbers.append(int(part, 8 if is_octal else 0))
        except ValueError:
            return None
    value = numbers[-1]
    for index, number in enumerate(numbers[:-1]):
        value += number << (8 * (3 - index))
    return ipaddress.IPv4Address(value) if value < 1 << 32 else None
