# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The phones in the browser: pages, their data, and live updates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from .engine import Simulator


async def handle(sim: Simulator, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one page request."""
    return web.Response(status=404)
