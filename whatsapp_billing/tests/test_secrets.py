# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import stat
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from cryptography.fernet import Fernet
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import config

from ..models.account import secrets
from .common import SECRET, TOKEN, WhatsappBillingCommon


def _with_keys(*keys):
    return patch.dict(config.options, {secrets.OPTION: ",".join(keys)})


@tagged("post_install", "-at_install")
class TestSecrets(WhatsappBillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old, cls.new = (Fernet.generate_key().decode() for _turn in range(2))

    def test_secrets_read_back_as_false(self):
        account = self.account.with_user(self.manager)
        values = account.read()[0]
        self.assertFalse(values["access_token"])
        self.assertFalse(values["app_secret"])
        self.assertTrue(account.has_access_token)
        self.assertNotIn("access_token_cipher", values)
        self.assertNotIn(TOKEN, str(values))
        self.assertNotIn(SECRET, str(values))

    def test_ciphers_are_nobodys_to_read_or_search(self):
        account = self.account.with_user(self.manager)
        for name in ("access_token_cipher", "app_secret_cipher", "binding"):
            with self.assertRaises(AccessError):
                account.read([name])
            with self.assertRaises(AccessError):
                account.search([(name, "like", "g")])
        with self.assertRaises(AccessError):
            account.write({"binding": "mine"})

    def test_exports_and_copies_have_no_secret(self):
        account = self.account.with_user(self.manager)
        exported = account.export_data(["name", "access_token", "app_secret"])
        self.assertNotIn(TOKEN, str(exported))
        copied = account.copy()
        self.assertFalse(copied.has_access_token)
        self.assertEqual(copied.sudo()._get_secret("access_token"), "")

    def test_chatter_and_database_have_no_secret(self):
        self.account.with_user(self.manager).write(
            {"access_token": "EAAverysecret", "name": "Renamed"}
        )
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.cr.execute(
            "SELECT * FROM whatsapp_billing_account WHERE id = %s", [self.account.id]
        )
        self.assertNotIn("EAAverysecret", str(self.env.cr.fetchall()))
        tracked = self.account.message_ids.mapped("tracking_value_ids")
        self.assertNotIn("EAAverysecret", str(tracked.read()))

    def test_writing_empty_changes_nothing(self):
        account = self.account.with_user(self.manager)
        account.write({"access_token": False, "app_secret": ""})
        self.assertEqual(account.sudo()._get_secret("access_token"), TOKEN)
        self.assertEqual(account._webhook_secrets(), [SECRET])

    def test_clerks_cannot_write(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.clerk).write({"access_token": "other"})

    def test_rotated_key_opens_until_everything_is_encrypted_anew(self):
        with _with_keys(self.old):
            self.account.write({"access_token": "typed", "app_secret": "too"})
            self.account._bind()
        with _with_keys(self.new, self.old):
            self.assertTrue(self.account._is_bound())
            self.assertEqual(self.account._get_secret("access_token"), "typed")
            self.env["whatsapp.billing.account"]._reencrypt_secrets()
        with _with_keys(self.new):
            self.env.invalidate_all()
            self.assertTrue(self.account._is_bound())
            self.assertEqual(self.account._get_secret("access_token"), "typed")
            self.assertEqual(self.account._webhook_secrets()[0], "too")

    def test_lost_key_reads_as_nothing_typed(self):
        with _with_keys(self.old):
            self.account.access_token = "typed"
        with _with_keys(self.new):
            self.assertEqual(self.account._get_secret("access_token"), "")
            self.assertFalse(self.account._is_bound())

    def test_a_key_that_is_none_says_so(self):
        with _with_keys("secret"), self.assertRaisesRegex(UserError, "Fernet"):
            self.account.access_token = "typed"

    def test_keys_come_from_the_environment(self):
        with patch.dict("os.environ", {secrets.VARIABLE: self.old}):
            cipher = secrets.encrypt(self.env, "x")
        self.assertEqual(Fernet(self.old).decrypt(cipher.encode()), b"x")

    def test_key_file_is_made_once_and_for_us_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "keys" / "db.key"
            first = secrets._file_key(path)
            self.assertEqual(secrets._file_key(path), first)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            self.assertEqual([file.name for file in path.parent.iterdir()], ["db.key"])

    def test_replaced_app_secret_is_believed_for_a_day(self):
        now = fields.Datetime.now()
        with freeze_time(now):
            self.account.app_secret = "next"
            self.assertEqual(self.account._webhook_secrets(), ["next", SECRET])
        with freeze_time(now + timedelta(hours=25)):
            self.assertEqual(self.account._webhook_secrets(), ["next"])

    def test_new_address_with_new_token_keeps_it(self):
        self.account.with_user(self.manager).write(
            {"api_url": "http://127.0.0.1:9000", "access_token": "other"}
        )
        self.assertEqual(self.account._get_secret("access_token"), "other")

    def test_a_copy_of_the_database_writes_to_nobody_until_confirmed(self):
        self.env["ir.config_parameter"].sudo().set_param("database.uuid", "another")
        account = self.account.with_user(self.manager)
        account.invalidate_recordset()
        self.assertFalse(account.is_bound)
        with self.assertRaisesRegex(UserError, "copy"):
            account._get_client()
        with self.assertRaisesRegex(UserError, "copy"):
            account.action_connect()
        self.assertEqual(self.transport.calls, [])
        account.action_confirm_binding()
        self.assertTrue(account._is_bound())
        self.assertTrue(account._get_client())

    def test_clerks_cannot_confirm_a_copy(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.clerk).action_confirm_binding()
