# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the transport takes as evidence, against a real server on the loopback."""

import datetime
import json
import logging
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from clients import transport as transport_module
from clients.errors import ClientError, NotConnectedError, UnknownOutcomeError
from clients.transport import Response, Transport

NO_FINAL_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'


def closed_port():
    """Return a socket that is bound but does not listen: connecting is refused."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


# === NO CONNECTION === #


def test_refused_connection_is_evidence(transport):
    with closed_port() as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/x"
        with pytest.raises(NotConnectedError) as caught:
            transport.request("POST", url, json={})
    assert caught.value.sent is False
    assert caught.value.retryable is True
    assert caught.value.code == "not_connected"


def test_unknown_host_is_evidence(transport, monkeypatch):
    def fail(*_args, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NotConnectedError):
        transport.request("GET", "https://graph.example.invalid/me")


def test_connect_timeout_is_evidence(transport, monkeypatch):
    def fail(*_args, **_options):
        message = "timed out"
        raise TimeoutError(message)

    monkeypatch.setattr("urllib3.util.connection.create_connection", fail)
    with pytest.raises(NotConnectedError):
        transport.request("GET", "http://127.0.0.1:9/x")


def test_broken_tls_handshake_is_evidence(transport, server):
    # A server that does not speak TLS: its answer to the handshake is no handshake.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer():
            connection, _address = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NotConnectedError):
            transport.request("POST", f"https://127.0.0.1:{port}/x", json={})
        thread.join()


def test_certificate_that_nobody_signed_is_evidence(transport, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer():
            connection, _address = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    seen.append(secure.recv(4096))
            except OSError:
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NotConnectedError) as caught:
            transport.request("POST", f"https://127.0.0.1:{port}/x", json={})
        thread.join()
    assert "certificate" in str(caught.value).lower()
    assert seen in ([], [b""])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_own_ca_bundle_is_trusted_for_the_name_in_it(tmp_path, monkeypatch, host):
    bundle = self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Transport(read_timeout=5) as transport,
    ):

        def answer():
            connection, _address = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    if secure.recv(4096):
                        secure.sendall(
                            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
                        )
            except OSError:
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"https://{host}:{listener.getsockname()[1]}/x"
        if host == "127.0.0.1":
            assert transport.request("GET", url).json() == {}
        else:
            with pytest.raises(NotConnectedError):
                transport.request("GET", url)
        thread.join()


def self_signed(folder):
    """Write a certificate for 127.0.0.1 that is valid around now, with its key."""
    import ipaddress

    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(pem)
    )
    return path


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/with space",
        "http://127.0.0.1:1/line\nbreak",
        "http://café.example/",
        "http://[::1/",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "graph.facebook.com/v25.0",
        "",
    ],
)
def test_address_that_is_none_is_evidence(transport, url):
    with pytest.raises(NotConnectedError):
        transport.request("GET", url)


def test_refused_proxy_tunnel_is_evidence(transport, server, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.then(server.write(b"HTTP/1.1 403 Forbidden\r\n\r\n"))
    with pytest.raises(NotConnectedError):
        transport.request("POST", "https://graph.example.invalid/x", json={})
    assert server.requests[0].startswith(b"CONNECT graph.example.invalid:443 ")


# === NOBODY KNOWS === #


def assert_unknown(caught, code):
    error = caught.value
    assert (error.kind, error.code, error.sent) == ("unknown", code, None)
    assert error.retryable is False


def test_silence_is_unknown(transport, server):
    server.then(server.silence)
    with pytest.raises(UnknownOutcomeError) as caught:
        transport.request("POST", server.url, json={}, timeout=0.05)
    assert_unknown(caught, "timeout")


def test_silence_in_the_body_is_unknown(transport, server):
    def half(loopback, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        return loopback.silence(loopback, connection)

    server.then(half)
    with pytest.raises(UnknownOutcomeError) as caught:
        transport.request("POST", server.url, json={}, timeout=0.05)
    assert_unknown(caught, "timeout")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_byte_now_and_then_is_no_answer_in_time(transport, server, head):
    """Each byte comes long before the timeout, all of them long after it."""

    def trickle(loopback, connection):
        connection.sendall(head)
        for _byte in range(100):
            loopback.released.wait(0.02)
            with suppress(OSError):
                connection.sendall(b"x")
        return False

    server.then(trickle)
    with pytest.raises(UnknownOutcomeError) as caught:
        transport.request("POST", server.url, json={}, timeout=0.3)
    assert_unknown(caught, "timeout")


def test_reset_after_the_request_is_unknown(transport, server):
    server.then(server.reset)
    with pytest.raises(UnknownOutcomeError) as caught:
        transport.request("POST", server.url, json={})
    assert_unknown(caught, "connection_lost")


def test_close_without_an_answer_is_unknown(transport, server):
    server.then(server.write(b""))
    with pytest.raises(UnknownOutcomeError) as caught:
        transport.request("POST", server.url, json={})
    assert_unknown(caught, "connection_lost")


def test_reset_on_a_reused_connection_is_unknown(transport, server):
    server.then(server.reply(), server.reset)
    transport.request("GET", server.url)
    with pytest.raises(UnknownOutcomeError) as caught:
        transport.request("POST", server.url, json={})
    assert_unknown(caught, "connection_lost")
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        NO_FINAL_CHUNK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70000 + b"\r\n\r\n{}",
    ],
)
def test_answer_cut_short_or_mangled_is_unknown(transport, server, answer):
    server.then(server.write(answer))
    with pytest.raises(UnknownOutcomeError) as caught:
        transport.request("POST", server.url, json={})
    assert_unknown(caught, "connection_lost")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n",
    ],
)
def test_oversize_answer_is_unknown(server, answer, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.then(server.write(answer))
    with (
        Transport(max_bytes=100, read_timeout=5) as transport,
        pytest.raises(UnknownOutcomeError) as caught,
    ):
        transport.request("POST", server.url, json={})
    assert_unknown(caught, "too_large")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (requests.ConnectTimeout("x"), NotConnectedError),
        (requests.ReadTimeout("x"), UnknownOutcomeError),
        (requests.ConnectionError("x"), UnknownOutcomeError),
        (requests.exceptions.ChunkedEncodingError("x"), UnknownOutcomeError),
        (ValueError("x"), UnknownOutcomeError),
    ],
)
def test_what_a_patched_session_raises_is_classified(
    transport, monkeypatch, raised, expected
):
    def send(*_args, **_options):
        raise raised

    monkeypatch.setattr(requests.Session, "send", send)
    with pytest.raises(expected):
        transport.request("GET", "http://127.0.0.1/")


# === ANSWERS === #


def test_every_status_is_an_answer(transport, server):
    statuses = ["204 No Content", "400 Bad", "401 No", "502 Bad", "503 No", "504 Late"]
    server.then(*(server.reply(b"", status) for status in statuses))
    answers = [transport.request("GET", server.url) for _status in statuses]
    assert [answer.status for answer in answers] == [204, 400, 401, 502, 503, 504]
    assert server.connections == 1


def test_html_answer_is_returned_and_is_no_json(transport, server):
    server.then(server.reply(b"<html>", "502 Bad Gateway"))
    answer = transport.request("GET", server.url)
    assert (answer.status, answer.body) == (502, b"<html>")
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_deep_json_is_a_value_error():
    with pytest.raises(ValueError, match="nested"):
        Response(200, {}, b"[" * 200_000).json()


def test_redirect_is_not_followed(transport, server):
    location = f"Location: {server.url}/elsewhere\r\n"
    server.then(server.reply(b"moved", "302 Found", location))
    answer = transport.request("POST", f"{server.url}/here", json={"a": 1})
    assert (answer.status, answer.body) == (302, b"moved")
    assert answer.headers["location"].endswith("/elsewhere")
    assert len(server.requests) == 1


def test_headers_of_an_answer_have_no_case(transport, server):
    server.then(server.reply(b"{}", more="X-FB-Trace-ID: abc\r\n"))
    answer = transport.request("GET", server.url)
    assert answer.headers["x-fb-trace-id"] == answer.headers["X-Fb-Trace-Id"] == "abc"
    made_by_hand = Response(200, {"Retry-After": "3"}, b"")
    assert made_by_hand.headers.get("retry-after") == "3"
    assert len(made_by_hand.headers) == 1
    assert list(made_by_hand.headers) == ["Retry-After"]


def test_cookies_are_neither_kept_nor_sent(transport, server):
    server.then(server.reply(more="Set-Cookie: a=b\r\n"), server.reply())
    transport.request("GET", server.url)
    transport.request("GET", server.url)
    assert b"cookie" not in server.requests[1].lower()


# === WHAT IS SENT === #


def test_json_is_sent_compact_and_in_ascii(transport, server):
    server.then(server.reply())
    transport.request(
        "POST", f"{server.url}/v25.0/1/messages", json={"a": "é\n", "b": [1, None]}
    )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v25.0/1/messages HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert body == b'{"a":"\\u00e9\\n","b":[1,null]}'


def test_head_and_small_body_are_one_write(transport, server, monkeypatch):
    """Also on the first call of a connection; what is large is not copied for it."""
    written = []
    send = transport_module.HTTPConnection.send

    def write(connection, data):
        written.append(len(data))
        send(connection, data)

    monkeypatch.setattr(transport_module.HTTPConnection, "send", write)
    sizes = [10, 10, transport_module.ONE_WRITE_BYTES + 1]
    server.then(*(server.reply() for _size in sizes))
    for size in sizes:
        transport.request("POST", server.url, data=b"x" * size)
    assert [len(request) for request in server.requests] == [
        written[0],
        written[1],
        written[2] + written[3],
    ]
    assert written[3:] == sizes[2:]


def test_parameters_are_quoted_and_joined(transport, server):
    server.then(server.reply(), server.reply())
    transport.request("GET", server.url, params={"q": "a b&c", "n": 1})
    transport.request("GET", f"{server.url}/x?y=1", params={"q": "é"})
    assert server.requests[0].startswith(b"GET /?q=a+b%26c&n=1 ")
    assert server.requests[1].startswith(b"GET /x?y=1&q=%C3%A9 ")


def test_form_bytes_and_files_are_sent_as_such(transport, server):
    server.then(server.reply(), server.reply(), server.reply())
    transport.request("POST", server.url, data={"code": "123", "x": "a b"})
    transport.request("POST", server.url, data=b"\x00\x01")
    transport.request(
        "POST",
        server.url,
        data={"messaging_product": "whatsapp"},
        files={"file": ("añ.pdf", b"%PDF", "application/pdf")},
    )
    form, raw, upload = server.requests
    assert form.endswith(b"\r\n\r\ncode=123&x=a+b")
    assert raw.endswith(b"\r\n\r\n\x00\x01")
    assert b'name="messaging_product"\r\n\r\nwhatsapp\r\n' in upload
    assert b"Content-Type: application/pdf\r\n\r\n%PDF\r\n" in upload


def test_own_headers_win(transport, server):
    server.then(server.reply())
    headers = {"Authorization": "OAuth t", "Content-Type": "application/octet-stream"}
    transport.request("POST", server.url, data=b"x", headers=headers)
    assert b"Authorization: OAuth t" in server.requests[0]
    assert server.requests[0].lower().count(b"content-type:") == 1
    assert server.requests[0].lower().count(b"accept-encoding: identity") == 1


def test_environment_is_not_asked_for_credentials(
    transport, server, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(netrc))
    server.then(server.reply())
    transport.request("GET", server.url)
    assert b"authorization" not in server.requests[0].lower()


def test_plain_http_goes_through_a_proxy_of_the_environment(
    transport, server, monkeypatch
):
    port = server.port
    monkeypatch.setenv("HTTP_PROXY", f"http://user:pw@127.0.0.1:{port}")
    server.then(server.reply())
    transport.request("GET", "http://graph.example.invalid/x?y=1")
    assert server.requests[0].startswith(b"GET http://graph.example.invalid/x?y=1 ")
    assert b"Proxy-Authorization: Basic" in server.requests[0]


def test_no_proxy_of_the_environment_is_respected(transport, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.then(server.reply())
    assert transport.request("GET", server.url).status == 200


def test_session_is_where_tests_can_stop_a_call(transport, monkeypatch):
    seen = []

    def send(_session, prepared, **options):
        seen.append((prepared.method, prepared.url, options["timeout"]))
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b"{}"
        return answer

    monkeypatch.setattr(requests.Session, "send", send)
    transport.request("GET", "https://graph.facebook.com/me", timeout=7)
    assert seen == [("GET", "https://graph.facebook.com/me", 7)]
    assert seen[0][2] < 10  # Odoo's guard compares it, which a tuple cannot


# === CONNECTIONS === #


def test_connection_is_kept_and_used_again(transport, server):
    server.then(*[server.reply(b'{"a":1}')] * 5)
    for _time in range(5):
        transport.request("POST", server.url, json={})
    assert server.connections == 1


def test_connection_closed_by_the_server_is_noticed_before_writing(transport, server):
    closed = threading.Event()

    def reply_and_close(_loopback, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()
        return False

    server.then(reply_and_close, server.reply())
    transport.request("GET", server.url)
    closed.wait()
    assert transport.request("GET", server.url).status == 200
    assert server.connections == 2


def test_connection_idle_for_long_is_not_used_again(transport, server, monkeypatch):
    monkeypatch.setattr(transport_module, "MAX_IDLE_SECONDS", -1.0)
    server.then(server.reply(), server.reply())
    transport.request("GET", server.url)
    transport.request("GET", server.url)
    assert server.connections == 2


def test_pool_keeps_as_many_connections_as_threads(server, monkeypatch, caplog):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    threads, rounds = 24, 5
    together = threading.Barrier(threads)

    def reply_together(_loopback, connection):
        together.wait()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        return True

    server.then(*[reply_together] * threads * rounds)
    with (
        Transport(pool_size=threads, read_timeout=30) as transport,
        ThreadPoolExecutor(threads) as pool,
    ):

        def call(number):
            url = f"{server.url}/{number}"
            return transport.request("POST", url, json={"n": number}).status

        for _round in range(rounds):
            assert set(pool.map(call, range(threads))) == {200}
    assert server.connections == threads
    bodies = sorted(int(r.rpartition(b":")[2].strip(b"}")) for r in server.requests)
    assert bodies == sorted(list(range(threads)) * rounds)


def test_threads_get_their_own_answers(server, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def echo(loopback, connection):
        with loopback._lock:
            loopback.echoed = getattr(loopback, "echoed", 0) + 1
        request = mine[threading.get_ident()]
        body = request.partition(b"\r\n\r\n")[2]
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        return True

    mine = Requests(server)
    server.then(*[echo] * 200)
    with (
        Transport(pool_size=8, read_timeout=30) as transport,
        ThreadPoolExecutor(8) as pool,
    ):

        def call(number):
            return transport.request("POST", server.url, json={"n": number}).json()

        answers = list(pool.map(call, range(200)))
    assert answers == [{"n": number} for number in range(200)]


class Requests:
    """Find the last request that a server thread read."""

    def __init__(self, server):
        self._by_thread = {}
        original = server.requests

        class Recorder(list):
            def append(recorder, request):
                super().append(request)
                self._by_thread[threading.get_ident()] = request

        server.requests = Recorder(original)

    def __getitem__(self, ident):
        return self._by_thread[ident]


def test_closed_transport_can_be_closed_again(server):
    transport = Transport()
    transport.close()
    transport.close()


# === NOTHING LEAKS === #


SECRET = "EAAGm0PX4ZCpsBAsecretsecretsecret"


def test_debug_log_has_no_token(transport, server, caplog):
    caplog.set_level(logging.DEBUG)
    server.then(server.reply(), server.write(b""))
    headers = {"Authorization": f"Bearer {SECRET}"}
    params = {"input_token": SECRET, "appsecret_proof": "ab" * 32}
    transport.request("GET", server.url, params=params, headers=headers)
    with pytest.raises(UnknownOutcomeError):
        transport.request("GET", server.url, params=params, headers=headers)
    assert "200" in caplog.text
    assert "connection_lost" in caplog.text
    assert SECRET not in caplog.text
    assert "ab" * 32 not in caplog.text


@pytest.mark.parametrize("code", ["not_connected", "timeout", "connection_lost"])
def test_error_has_no_token_and_no_chained_original(transport, server, code):
    if code == "timeout":
        server.then(server.silence)
    elif code == "connection_lost":
        server.then(server.reset)
    with closed_port() as bound:
        refused = f"http://127.0.0.1:{bound.getsockname()[1]}"
        url = refused if code == "not_connected" else server.url
        with pytest.raises(ClientError) as caught:
            transport.request("GET", url, params={"input_token": SECRET}, timeout=0.05)
    error = caught.value
    assert error.code == code
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = f"{error} {error!r} {error.args} {json.dumps(error.as_dict())}"
    assert SECRET not in shown
    assert SECRET not in error.details
