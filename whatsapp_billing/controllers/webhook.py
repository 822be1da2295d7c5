# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from functools import partial

from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from odoo import SUPERUSER_ID, api, http
from odoo.http import request
from odoo.modules.registry import Registry
from odoo.service.model import retrying

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
        answer = self._in_database(
            lambda env: env["whatsapp.billing.account"]._answer_challenge(token, query)
        )
        if answer is None:
            raise Forbidden()
        return request.make_response(answer, [("Content-Type", "text/plain")])

    @http.route(
        f"{WEBHOOK_ROUTE}/<string:token>",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        # One byte more than is taken: reading ends there, also without a
        # Content-Length.
        max_content_length=WEBHOOK_MAX_BYTES + 1,
    )
    def receive(self, token, **_query):
        """Keep a genuine event: 403 when it is not, 413 when too large, else 200."""
        # Kept by the request: Odoo repeats it after a serialization error, and the
        # stream can be read once only.
        body = request.httprequest.get_data(cache=True)
        if len(body) > WEBHOOK_MAX_BYTES:
            raise RequestEntityTooLarge()
        headers, url = request.httprequest.headers, request.httprequest.url
        genuine = self._in_database(
            lambda env: env["whatsapp.billing.webhook.event"]._receive(
                token, body, headers, url
            )
        )
        if not genuine:
            raise Forbidden()
        return request.make_response("", [("Content-Type", "text/plain")])

    def _in_database(self, step):
        """Return `step(env)` in the database that the address means, as superuser.

        Whatever is not ours answers alike: nobody learns which databases there are,
        or what is installed in them.
        """
        if request.db:
            return step(self._check_installed(request.env(user=SUPERUSER_ID)))
        name = request.httprequest.args.get("db")
        host = request.httprequest.environ.get("HTTP_HOST", "")
        if not name or name not in http.db_list(force=True, host=host):
            raise Forbidden()
        # As Odoo does for other requests: `check_signaling` drops caches that another
        # process made stale (a changed secret), `retrying` repeats after a
        # serialization error.
        registry = Registry(name).check_signaling()
        with registry.cursor() as cr:
            env = self._check_installed(api.Environment(cr, SUPERUSER_ID, {}))
            return retrying(partial(step, env), env)

    def _check_installed(self, env):
        if "whatsapp.billing.account" not in env:
            raise Forbidden()
        return env
