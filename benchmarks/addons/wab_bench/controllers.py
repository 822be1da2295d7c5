# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import http
from odoo.http import request


class Bench(http.Controller):
    """The least that an Odoo controller can do to keep what it was sent."""

    @http.route(
        "/wab_bench/insert",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def insert(self):
        """Insert one row."""
        body = request.httprequest.get_data()
        request.env.cr.execute(
            "INSERT INTO wab_bench_row (body) VALUES (%s)", [body.decode()]
        )
        return request.make_response("", [("Content-Type", "text/plain")])
