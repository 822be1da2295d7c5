# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import HttpCase
from odoo.tools import file_path


class TourCase(HttpCase):
    """A browser on this database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._leave_out_missing_library()

    def start_tour(self, *args, **kwargs):
        """Override to wait longer: a step may take its time on a busy machine."""
        kwargs.setdefault("timeout", 300)
        return super().start_tour(*args, **kwargs)

    @classmethod
    def _leave_out_missing_library(cls):
        """Let the browser load a bundle that Debian's package of Odoo cannot fill.

        It leaves out a library of `mail` that blurs video calls; the bundle says so
        as an error on every page, and an error fails the test.
        """
        path = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
        try:
            file_path(path)
        except FileNotFoundError:
            cls.env["ir.asset"].sudo().create(
                {
                    "name": "Missing library",
                    "bundle": "web.assets_backend",
                    "directive": "remove",
                    "path": path,
                }
            )
