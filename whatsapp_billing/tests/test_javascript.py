# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from pathlib import Path

from odoo.tests import no_retry, tagged
from odoo.tools import file_path

# The module, not its classes: whoever collects tests here would run Odoo's own again.
from odoo.addons.web.tests import test_js

from .tour_common import TourCase

SUITE = "@whatsapp_billing"


@tagged("post_install", "-at_install")
class TestJavaScript(TourCase):
    """The module's own Hoot tests in a real Chromium, against Odoo's mock server.

    On a served database they are at `/web/tests?filter=@whatsapp_billing`.
    """

    @no_retry
    def test_hoot(self):
        suite_id = test_js.HOOTCommon._generate_hash(self, SUITE)
        said = []

        def is_the_end(message):
            said.append(message)
            return test_js.unit_test_error_checker(message)

        try:
            self.browser_js(
                f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite_id}",
                "",
                "",
                login="admin",
                timeout=300,
                success_signal="[HOOT] Test suite succeeded",
                error_checker=is_the_end,
            )
        except AssertionError as error:
            raise AssertionError("\n\n".join(said) or str(error)) from None

    def test_no_test_is_run_alone(self):
        """With `test.only` or `test.debug` left in a file all others are skipped."""
        folder = Path(file_path("whatsapp_billing/static/tests"))
        files = sorted(folder.glob("*.test.js"))
        self.assertTrue(files)
        for path in files:
            self.assertNotRegex(path.read_text(), test_js.RE_FORBIDDEN_STATEMENTS)
