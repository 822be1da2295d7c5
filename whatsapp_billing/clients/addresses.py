# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Read an address one way only: where a secret may go is where the call goes.

Libraries disagree about what `http://a\\@b` or a missing host means, and whoever can
make two of them disagree sends a token to a host of their own. Whatever is not plainly
scheme, host, port and path is refused here, and the transport connects to exactly what
this module has read.
"""

import ipaddress
import re
from dataclasses import dataclass

DEFAULT_PORTS = {"http": 80, "https": 443}

_ADDRESS = re.compile(
    r"(https?)://"
    r"(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9_])?\.?)"
    r"(?::([0-9]{1,5}))?"
    r"(|[/?#].*)",
    re.IGNORECASE | re.ASCII,
)
_API_PATH = re.compile(r"(/[a-z0-9._~-]*)*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a connection is made to."""

    scheme: str
    host: str  # lower case; an IPv6 address in brackets
    port: int

    def __str__(self) -> str:
        """Return it as an address, the port always named."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Tell whether it is this very machine."""
        name = self.host.strip("[]").rstrip(".")
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")


def split(url: str) -> tuple[Origin, str]:
    """Return the origin of an address and what to ask of it (path and query).

    :raise ValueError: for anything that could be read in another way: credentials,
        backslashes, spaces and control characters, letters outside ASCII, no host
    """
    match = _ADDRESS.fullmatch(url)
    if match is None or not (url.isascii() and url.isprintable()) or " " in url:
        message = "not an address of the form https://host:port/path"
        raise ValueError(message)
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        message = "no such port"
        raise ValueError(message)
    if host.startswith("["):
        host = f"[{ipaddress.IPv6Address(host[1:-1])}]"
    target = match[4].partition("#")[0]
    return Origin(scheme, host, port), target if target[:1] == "/" else f"/{target}"


def origin(url: str | None) -> str:
    """Return the origin of an address in one spelling, "" for what is none."""
    try:
        return str(split((url or "").strip())[0])
    except ValueError:
        return ""


def check_api_url(url: str) -> Origin:
    """Return the origin of an address that secrets may be sent to.

    :raise ValueError: for what `split` refuses, a query, a fragment or escapes
    """
    found, _target = split(url)
    path = url.partition("://")[2].partition("/")
    if not _API_PATH.fullmatch(path[1] + path[2]) or ".." in url:
        message = "only a plain path may follow the host"
        raise ValueError(message)
    if "?" in path[0] or "#" in path[0]:
        message = "neither a query nor a fragment"
        raise ValueError(message)
    return found
