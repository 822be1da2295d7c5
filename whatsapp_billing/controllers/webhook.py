# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from contextlib import contextmanager

from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from odoo import SUPERUSER_ID, api, http
from odoo.http import request
from odoo.modules.registry import Registry

from ..const import WEBHOOK_MAX_BYTES, WEBHOOK_ROUTE


class WhatsappBillingWebhook(http.Controller):
    """Where providers report. Verifies, stores, answers; never processes."""

    # auth "none": a provider has no user and no session, and the route must also
    # answer where the host alone does not tell the database (`?db=` does).
    @http.route(
        f"{WEBHOOK_ROUTE}/<string:token>",
        type="http",
        auth="none",
        methods=["GET"],
        csrf=False,
        save_session=False,
    )
    def handshake(self, token, **query):
        """Answer the provider's check of the address with its challenge."""
        with self._environment(query) as env:
            expected = env["whatsapp.billing.account"]._verify_handshake(
                token, query.get("hub.mode"), query.get("hub.verify_token")
            )
        if not expected:
            raise Forbidden()
        return request.make_response(
            query.get("hub.challenge", ""), [("Content-Type", "text/plain")]
        )

    @http.route(
        f"{WEBHOOK_ROUTE}/<string:token>",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=None,
    )
    def receive(self, token, **query):
        """Keep a genuine event: 403 when it is not, 413 when too large, else 200."""
        if (request.httprequest.content_length or 0) > WEBHOOK_MAX_BYTES:
            raise RequestEntityTooLarge()
        body = request.httprequest.get_data(cache=False)
        if len(body) > WEBHOOK_MAX_BYTES:
            raise RequestEntityTooLarge()
        with self._environment(query) as env:
            genuine = env["whatsapp.billing.webhook.event"]._receive(
                token, body, request.httprequest.headers
            )
        if not genuine:
            raise Forbidden()
        return request.make_response("", [("Content-Type", "text/plain")])

    @contextmanager
    def _environment(self, query):
        """Yield a superuser environment of the database that the address means.

        Whatever is not ours answers alike: nobody learns which databases there are,
        or what is installed in them.
        """
        if request.db:
            yield self._check_installed(request.env(user=SUPERUSER_ID))
            return
        name = request.httprequest.args.get("db")
        host = request.httprequest.environ.get("HTTP_HOST", "")
        if not name or name not in http.db_list(force=True, host=host):
            raise Forbidden()
        with Registry(name).cursor() as cr:
            yield self._check_installed(api.Environment(cr, SUPERUSER_ID, {}))

    def _check_installed(self, env):
        if "whatsapp.billing.account" not in env:
            raise Forbidden()
        return env
