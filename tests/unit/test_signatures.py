# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import json

import pytest

from clients.signatures import (
    appsecret_proof,
    sign_meta,
    verify_header_secret,
    verify_meta,
)

# Signed by another program (`openssl dgst`): the backslashes are bytes of the body.
SECRET = "app-secret-for-tests"
BODY = (
    rb'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":'
    rb'[{"field":"messages","value":{"x":"caf\u00e9 \/ 1"}}]}]}'
)
HEADER = "sha256=8712f9704857f65bc919a6fbf087a36fa7443c2a5265541b1baaae0a7900c9fa"


def test_vector_is_signed_and_verified():
    assert sign_meta(SECRET, BODY) == HEADER
    assert verify_meta([SECRET], BODY, HEADER)


def test_reserialised_body_fails():
    for ascii_only in (True, False):
        again = json.dumps(json.loads(BODY), ensure_ascii=ascii_only)
        assert not verify_meta([SECRET], again.encode(), HEADER)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        HEADER[7:],
        HEADER.replace("sha256", "sha1"),
        HEADER[:-1],
        HEADER + "0",
        HEADER.upper(),
        HEADER[:-1] + ("0" if HEADER[-1] != "0" else "1"),
        "sha256=é" + HEADER[8:],
        "sha256=\ud800",
        " " + HEADER,
    ],
)
def test_wrong_header_fails(header):
    assert not verify_meta([SECRET], BODY, header)


@pytest.mark.parametrize("secrets", [[], [""], ["", ""], ["other"], ["other", ""]])
def test_missing_or_wrong_secret_fails(secrets):
    assert not verify_meta(secrets, BODY, HEADER)


def test_empty_secret_never_signs():
    with pytest.raises(ValueError, match="empty secret"):
        sign_meta("", BODY)


def test_old_and_new_secret_are_accepted_during_rotation():
    assert verify_meta(["new", SECRET], BODY, HEADER)
    assert verify_meta([SECRET, "new"], BODY, HEADER)
    assert verify_meta(["new", SECRET], BODY, sign_meta("new", BODY))


def test_empty_body_has_a_signature():
    assert verify_meta([SECRET], b"", sign_meta(SECRET, b""))
    assert not verify_meta([SECRET], b" ", sign_meta(SECRET, b""))


@pytest.mark.parametrize("given", ["s3cret", "Bearer s3cret", "bearer  s3cret "])
def test_registered_header_is_accepted(given):
    assert verify_header_secret(["old", "s3cret"], given)


@pytest.mark.parametrize(
    "given", [None, "", " ", "Bearer ", "Bearer", "s3cre", "s3cret2", "S3CRET", "é"]
)
def test_other_header_is_refused(given):
    assert not verify_header_secret(["s3cret"], given)


@pytest.mark.parametrize("given", ["", "Bearer ", "x"])
def test_header_without_any_secret_is_refused(given):
    assert not verify_header_secret([], given)
    assert not verify_header_secret([""], given)


def test_appsecret_proof_is_lower_case_hex():
    proof = appsecret_proof("simulator-app-secret", "simulator-token")
    assert proof == "ee810190e5b2510ccbbf190438211adb870ab169422ae09c597629e68dd7f967"
