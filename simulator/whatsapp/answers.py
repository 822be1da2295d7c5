# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How Graph's answers leave, and those of others who speak its language."""

from __future__ import annotations

import logging
import secrets

import orjson
from aiohttp import web

from ..faults import Fault
from .call import Json, Raw
from .errors import GraphError

ADVERTISED = "v25.0"
# What a call may stumble over when a value is of a kind that no check foresaw.
WRONG_KIND = (AttributeError, IndexError, KeyError, TypeError, ValueError)
# The beginning of the answer to a send, for the fault that cuts it off.
TORN = b'{"messaging_product": "whatsapp", "messages": [{"id": "wam'
_OLDEST = 22
_JSON = "application/json; charset=UTF-8"
_logger = logging.getLogger(__name__)


def served_version(version: str) -> str:
    """Return the version that answers: expired ones get the oldest that lives."""
    number = int(version[1:].split(".")[0])
    return f"v{max(number, _OLDEST)}.0"


def graph_headers(version: str) -> dict[str, str]:
    """Return what stands above every answer of Graph."""
    return {
        "x-fb-trace-id": secrets.token_urlsafe(8),
        "facebook-api-version": served_version(version),
        "x-app-usage": '{"call_count":1,"total_cputime":1,"total_time":1}',
    }


def respond(answer: Json | Raw, headers: dict[str, str]) -> web.Response:
    """Send what a handler answered."""
    if isinstance(answer, Raw):
        kind = {"Content-Type": answer.content_type}
        return web.Response(body=answer.body, status=answer.status, headers=kind)
    return _json(orjson.dumps(answer), 200, headers)


def respond_error(
    error: GraphError,
    headers: dict[str, str] | None = None,
    version: str = ADVERTISED,
) -> web.Response:
    """Send an error as Graph does."""
    trace = "A" + secrets.token_urlsafe(16)
    body = orjson.dumps(error.body(trace))
    given = {
        **graph_headers(version),
        "x-fb-trace-id": trace[:11],
        **(headers or {}),
    }
    if error.code in (0, 104, 190):
        challenge = f'OAuth "Facebook Platform" "invalid_token" "{error.title}"'
        given["WWW-Authenticate"] = challenge
    return _json(body, error.http, given)


def respond_fault(fault: Fault) -> web.Response:
    """Send the error that a fault asks for."""
    error = GraphError(
        fault.code, fault.details, subcode=fault.subcode, http=fault.http_status
    )
    return respond_error(error, fault.headers)


def wrong_kind(path: str, error: Exception) -> GraphError:
    """Refuse values of a kind that no check foresaw, as Meta does, and log where."""
    _logger.warning("A call to %s had odd values", path, exc_info=error)
    return GraphError(100, "A parameter has the wrong type")


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(
        body=body, status=status, headers={"Content-Type": _JSON, **headers}
    )
