# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Secrets at rest: encrypted with keys that are not in the database.

The keys come from `whatsapp_billing_secret_keys` in `odoo.conf`, else from the
environment variable WHATSAPP_BILLING_SECRET_KEYS (both: Fernet keys, comma
separated), else from a file beside the filestore that is made on first use. The first
key encrypts, all of them decrypt: put a new key first, run
`whatsapp.billing.account._reencrypt_secrets`, then drop the old one.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.exceptions import UserError
from odoo.tools import config

OPTION = "whatsapp_billing_secret_keys"
VARIABLE = "WHATSAPP_BILLING_SECRET_KEYS"


def encrypt(env, text):
    """Return the text encrypted with the first key, False for no text."""
    return _fernet(env).encrypt(text.encode()).decode() if text else False


def decrypt(env, cipher):
    """Return the text, or "" where there is none or no key of ours opens it.

    A copy of a database without its key file reads as if nothing had been typed yet.
    """
    if not cipher:
        return ""
    try:
        return _fernet(env).decrypt(cipher.encode()).decode()
    except InvalidToken:
        return ""


def reencrypt(env, cipher):
    """Return the same secret encrypted with the first key, or the cipher unopened."""
    try:
        return _fernet(env).rotate(cipher.encode()).decode()
    except InvalidToken:
        return cipher


def bindings(env):
    """Return what ties an account to this database, one per key, the current first.

    A copy has another uuid, name or key file, so the binding stored in it is none of
    these; a key that was rotated still counts as long as it is configured.
    """
    # sudo: ir.config_parameter - the uuid is only hashed
    uuid = env["ir.config_parameter"].sudo().get_param("database.uuid")
    return [
        hashlib.sha256(
            f"{uuid}|{env.cr.dbname}|{_fingerprint(key)}".encode()
        ).hexdigest()
        for key in _keys(env)
    ]


def _fingerprint(key):
    return hashlib.sha256(b"whatsapp_billing:" + key).hexdigest()


def _fernet(env):
    try:
        return MultiFernet([Fernet(key) for key in _keys(env)])
    except ValueError as error:
        raise UserError(
            env._(
                "A key in %(option)s is not a Fernet key (32 bytes, URL-safe base64)."
                " Ask whoever runs the server to correct it.",
                option=OPTION,
            )
        ) from error


def _keys(env):
    given = config.get(OPTION) or os.environ.get(VARIABLE) or ""
    keys = [key.strip().encode() for key in given.split(",") if key.strip()]
    return keys or [_file_key(key_file(env.cr.dbname))]


def key_file(dbname):
    """Return where the key of a database is kept when none is configured."""
    return Path(config["data_dir"]) / "whatsapp_billing" / f"{dbname}.key"


def _file_key(path):
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes().strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written to another file and linked: of two workers that make a key at once one
    # wins, and nobody reads half of one. `mkstemp` makes the file with mode 0600.
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
    return path.read_bytes().strip()
