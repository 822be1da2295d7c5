# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Sign and verify webhooks: constant time, several secrets (rotation), fail closed."""

import hashlib
import hmac
from collections.abc import Sequence

_META_PREFIX = "sha256="


def sign_meta(secret: str, body: bytes) -> str:
    """Return the value of ``X-Hub-Signature-256`` for a body.

    HMAC-SHA256 over the raw bytes with the app secret (Meta, webhooks getting started,
    2026-09-11). A verifier ships its signer so that tests never stub verification.

    :raise ValueError: for an empty secret
    """
    if not secret:
        message = "an empty secret signs nothing"
        raise ValueError(message)
    digest = hmac.new(secret.encode("utf-8", "surrogatepass"), body, hashlib.sha256)
    return _META_PREFIX + digest.hexdigest()


def verify_meta(secrets: Sequence[str], body: bytes, header: str | None) -> bool:
    """Tell whether one of the secrets signed these raw bytes.

    No secret, no header, another algorithm or a wrong length: False. Every secret is
    tried, so the time does not tell which one matched.
    """
    if not header or not header.startswith(_META_PREFIX):
        return False
    given = header.encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(sign_meta(secret, body).encode("ascii"), given)
        for secret in secrets
        if secret
    ]
    return any(matches)


def verify_header_secret(expected: Sequence[str], given: str | None) -> bool:
    """Tell whether a header carries one of the secrets that we registered.

    For providers that do not sign (360dialog). A leading
    ``Bearer`` is not part of the secret.
    """
    if not given:
        return False
    value = given.strip()
    if value[:7].lower() == "bearer ":
        value = value[7:].strip()
    encoded = value.encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), encoded)
        for secret in expected
        if secret
    ]
    return bool(encoded) and any(matches)


def appsecret_proof(secret: str, access_token: str) -> str:
    """Return the proof that the caller of the Graph API knows the app secret.

    Lower case hex HMAC-SHA256 of the token with the app secret (Meta, securing API
    requests). Only demanded where the app has "Require app secret" on.
    """
    key = secret.encode("utf-8", "surrogatepass")
    token = access_token.encode("utf-8", "surrogatepass")
    return hmac.new(key, token, hashlib.sha256).hexdigest()
