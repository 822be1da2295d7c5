# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The one place that speaks HTTP: timeouts, size cap, evidence, redacted log.

Built for many threads on one session at a thousand calls a second: requests are
prepared by hand (no cookies, no environment, no netrc looked up per call), connection
pools are found once per origin, and nothing is shared that a call changes. All of it
still goes through `requests.Session.send`, where Odoo's tests stop calls to outside.
"""

import io
import json as jsonlib
import logging
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.filepost import encode_multipart_formdata
from urllib3.util.ssl_ import create_urllib3_context

from . import addresses
from .errors import ClientError, NotConnectedError, UnknownOutcomeError
from .redaction import SecretFilter, redact_text
from .response import Headers, Response

_logger = logging.getLogger(__name__)

USER_AGENT = "whatsapp_billing/19.0"
MAX_BYTES = 16 * 1024 * 1024
MAX_ORIGINS = 64
# Bodies up to this size are joined to the head and sent in one write; larger ones are
# files, and joining would copy them.
ONE_WRITE_BYTES = 64 * 1024
# A connection that was idle longer is closed instead of reused: the other side may be
# closing it, and a request written into that is lost without anybody knowing.
MAX_IDLE_SECONDS = 20.0
# Seconds for the whole answer of a call that names no time of its own.
READ_SECONDS = 30.0

_encode_json = jsonlib.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_secret_filter = SecretFilter()

Files = Mapping[str, tuple[str, bytes, str]]

__all__ = ["Files", "Headers", "Response", "Transport"]


class _UnconnectedError(Exception):
    """No connection was made; nothing of the request was written."""


class _TooLargeError(Exception):
    """The answer is larger than we are ready to read."""


class _TimedReader(io.RawIOBase):
    """Read from a connection until a moment, however many bytes come before it.

    A socket's own timeout begins anew with every byte, so a host that sends one a
    second would hold its thread for as long as it likes.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        seconds = connection.gettimeout()
        self._until = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._connection.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """What `http.client` asks a socket for when it begins to read an answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connection))


class _TimedResponse(HTTPResponse):
    """An answer whose head and body together must be there within the timeout."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(_TimedSocket(sock), *args, **options)  # type: ignore[arg-type]


class _OneWriteMixin:
    """Write the head and a small body of a request at once.

    `http.client` writes them one after the other: another system call, packet and TLS
    record for each message, as dear as all of our own code about it.
    """

    _held: list[bytes] | None = None

    def request(self, *args: Any, **options: Any) -> None:
        self._held = []
        try:
            super().request(*args, **options)  # type: ignore[misc]
            held = self._held
        finally:
            self._held = None
        if sum(map(len, held)) <= ONE_WRITE_BYTES:
            held = [b"".join(held)]
        for data in held:
            self.send(data)

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._held.append(data)


class _HTTPConnection(_OneWriteMixin, HTTPConnection):
    response_class = _TimedResponse

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _UnconnectedError(_reason(error)) from error


class _HTTPSConnection(_OneWriteMixin, HTTPSConnection):
    response_class = _TimedResponse

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _UnconnectedError(_reason(error)) from error


class _FreshMixin:
    """Do not reuse connections that were idle for long."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        idle_since = getattr(connection, "idle_since", None)
        if idle_since is not None and time.monotonic() - idle_since > MAX_IDLE_SECONDS:
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)  # type: ignore[misc]


class _HTTPPool(_FreshMixin, HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(_FreshMixin, HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


# Exceptions that `requests` raises before anything is sent.
_NEVER_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)
_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where requests to one scheme, host and port go."""

    pool: HTTPConnectionPool
    proxy_headers: Mapping[str, str] | None  # set for plain HTTP through a proxy


class _Answer(requests.Response):
    """An answer whose body is already read and whose redirect nobody follows."""

    @property
    def is_redirect(self) -> bool:
        return False


class _Adapter(HTTPAdapter):
    """Send prepared requests; resolve proxy, TLS and pool once per origin."""

    def __init__(self, pool_size: int, connect_timeout: float, max_bytes: int) -> None:
        self._origins: dict[addresses.Origin, _Origin] = {}
        self._connect_timeout = connect_timeout
        self._max_bytes = max_bytes
        super().__init__(pool_connections=MAX_ORIGINS, pool_maxsize=pool_size)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        pool_kwargs.update(_tls_options())
        super().init_poolmanager(connections, maxsize, block=block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        proxy_kwargs.update(_tls_options())
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send and read to the end; `timeout` seconds for the whole answer."""
        url = request.url or ""
        origin, target = self._route(url)
        headers = dict(request.headers)
        if origin.proxy_headers is not None:
            headers.update(origin.proxy_headers)
            target = url
        raw = origin.pool.urlopen(
            method=request.method or "GET",
            url=target,
            body=request.body,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=urllib3.Timeout(connect=self._connect_timeout, read=timeout),
            preload_content=False,
            decode_content=False,
        )
        answer = _Answer()
        answer.request = request
        answer.url = url
        answer.status_code = raw.status
        answer.headers = raw.headers  # type: ignore[assignment]
        answer._content = self._read(raw)
        return answer

    def _read(self, raw: Any) -> bytes:
        """Read to the end; a body shorter than announced raises by itself."""
        announced = raw.headers.get("Content-Length", "")
        length = int(announced) if announced.isascii() and announced.isdigit() else None
        body: bytes = b""
        if length is None or length <= self._max_bytes:
            body = raw.read(None if length is not None else self._max_bytes + 1)
        if (length or len(body)) > self._max_bytes:
            raw.close()
            message = f"answer larger than {self._max_bytes} bytes"
            raise _TooLargeError(message)
        return body

    def _route(self, url: str) -> tuple[_Origin, str]:
        """Find the pool; nobody after us reads the address again."""
        try:
            where, target = addresses.split(url)
            return self._origins.get(where) or self._open(where), target
        except (ValueError, HTTPError, requests.RequestException) as error:
            raise _UnconnectedError(_reason(error)) from error

    def _open(self, where: addresses.Origin) -> _Origin:
        place = (where.host, where.port, where.scheme)
        base = f"{where}/"
        proxy = select_proxy(base, get_environ_proxies(base, no_proxy=None))
        if proxy is None:
            origin = _Origin(self.poolmanager.connection_from_host(*place), None)
        else:
            proxy = proxy if "://" in proxy else f"http://{proxy}"
            pool = self.proxy_manager_for(proxy).connection_from_host(*place)
            plain = where.scheme == "http" and not proxy.lower().startswith("socks")
            origin = _Origin(pool, self.proxy_headers(proxy) if plain else None)
        self._origins[where] = origin
        return origin


def _tls_options() -> dict[str, Any]:
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    context = _tls_context(bundle or DEFAULT_CA_BUNDLE_PATH)
    return {"ssl_context": context, "cert_reqs": "CERT_REQUIRED"}


@lru_cache(maxsize=4)
def _tls_context(bundle: str) -> ssl.SSLContext:
    """Return one context for all connections: reading the bundle takes 20 ms."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    if os.path.isdir(bundle):
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context


class Transport:
    """HTTP for the clients: one keep-alive session that many threads share."""

    def __init__(
        self,
        pool_size: int = 10,
        connect_timeout: float = 5.0,
        read_timeout: float = READ_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Open a session. Times in seconds; `pool_size` is the number of threads."""
        self._read_timeout = read_timeout
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = _Adapter(pool_size, connect_timeout, max_bytes)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        # urllib3 logs whole URLs at debug, and `debug_token` demands a token in one.
        logging.getLogger("urllib3.connectionpool").addFilter(_secret_filter)

    def __enter__(self) -> "Transport":
        """Return the transport."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        data: Mapping[str, str] | bytes | None = None,
        files: Files | None = None,
        timeout: float | None = None,
    ) -> Response:
        """Send one request and return the answer, whatever its status.

        Redirects are not followed and nothing is retried.

        :param timeout: seconds that the whole answer may take, from the moment at
            which the request was written
        :raise NotConnectedError: no connection was made
        :raise UnknownOutcomeError: it was, and no complete answer came
        """
        prepared = _prepare(method, url, headers, params, json, data, files)
        started = time.monotonic()
        outcome = self._send(prepared, timeout or self._read_timeout)
        if _logger.isEnabledFor(logging.DEBUG):
            _log(prepared, outcome, time.monotonic() - started)
        if isinstance(outcome, ClientError):
            raise outcome
        return outcome

    def _send(
        self, prepared: requests.PreparedRequest, timeout: float
    ) -> Response | ClientError:
        """Return the answer, or the error to raise: outside the handler, so that the
        original, which holds the whole URL, is not chained to it."""
        try:
            answer = self._session.send(
                prepared,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
                proxies={},
            )
        except (_UnconnectedError, *_NEVER_SENT) as error:
            return NotConnectedError(code="not_connected", details=_reason(error))
        except (ReadTimeoutError, requests.ReadTimeout, TimeoutError) as error:
            return UnknownOutcomeError(code="timeout", details=_reason(error))
        except _TooLargeError as error:
            return UnknownOutcomeError(code="too_large", details=_reason(error))
        except (
            HTTPError,
            HTTPException,
            OSError,
            ValueError,
            requests.RequestException,
        ) as error:
            return UnknownOutcomeError(code="connection_lost", details=_reason(error))
        return Response(answer.status_code, answer.headers, answer.content)


def _prepare(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    params: Mapping[str, str | int] | None,
    json: Any,
    data: Mapping[str, str] | bytes | None,
    files: Files | None,
) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.method = method
    prepared.url = _join(url, params)
    body, content_type = _encode(json, data, files)
    sent = {"User-Agent": USER_AGENT, "Accept": "application/json"}
    if content_type:
        sent["Content-Type"] = content_type
    if headers:
        sent.update(headers)
    prepared.headers = sent  # type: ignore[assignment]
    prepared.body = body
    prepared.hooks = {}
    return prepared


def _join(url: str, params: Mapping[str, str | int] | None) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"


def _encode(
    json: Any, data: Mapping[str, str] | bytes | None, files: Files | None
) -> tuple[bytes | None, str]:
    if json is not None:
        return _encode_json(json).encode("ascii"), "application/json"
    if files is not None:
        fields: dict[str, Any] = dict(data) if isinstance(data, Mapping) else {}
        return encode_multipart_formdata(fields | dict(files))
    if isinstance(data, Mapping):
        return urlencode(data).encode("ascii"), "application/x-www-form-urlencoded"
    return data, ""


def _reason(error: BaseException) -> str:
    return redact_text(f"{type(error).__name__}: {error}")[:500]


def _log(
    prepared: requests.PreparedRequest, outcome: Response | ClientError, seconds: float
) -> None:
    result = outcome.status if isinstance(outcome, Response) else outcome.code
    url = redact_text(prepared.url or "")
    _logger.debug("%s %s: %s in %.3f s", prepared.method, url, result, seconds)
