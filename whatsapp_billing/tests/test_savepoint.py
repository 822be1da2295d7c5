# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo.tests import TransactionCase, tagged

from ..models.common.savepoint import savepoint_or_log
from ..models.worker.transactions import RepeatTransaction

_logger = logging.getLogger(__name__)


@tagged("post_install", "-at_install")
class TestSavepoint(TransactionCase):
    """What our part must not stop goes on, without what our part has half done."""

    def rename(self, name, error=None):
        """Rename a contact in a savepoint, then raise; return what became of it."""
        with savepoint_or_log(self.env, _logger, "%s was not renamed", name) as outcome:
            self.partner.name = name
            if error:
                raise error
        return outcome

    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Before"})

    def test_what_went_well_is_kept(self):
        self.assertIsNone(self.rename("After").error)
        self.assertEqual(self.partner.name, "After")

    def test_what_raised_is_undone_and_logged_by_the_caller(self):
        fault = ValueError("a module of somebody else")
        with self.assertLogs(_logger, "ERROR") as logs:
            self.assertIs(self.rename("After", fault).error, fault)
        self.assertEqual(self.partner.name, "Before")
        self.assertIn("After was not renamed", logs.output[0])
        self.assertIn("a module of somebody else", logs.output[0])

    def test_what_postgresql_wants_repeated_is_raised(self):
        with self.assertNoLogs(_logger, "ERROR"), self.assertRaises(RepeatTransaction):
            self.rename("After", RepeatTransaction("another one was faster"))
        self.assertEqual(self.partner.name, "Before")
