# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from ..transport import Transport
from .base import AccountConfig, WhatsAppClient
from .dialog360 import Dialog360Client
from .meta_cloud import MetaCloudClient
from .webhook import parse_webhook

CLIENTS: dict[str, type[WhatsAppClient]] = {
    MetaCloudClient.provider: MetaCloudClient,
    Dialog360Client.provider: Dialog360Client,
}


def get_client(
    provider: str, config: AccountConfig, transport: Transport
) -> WhatsAppClient:
    """Return a provider's client.

    :raise KeyError: for a provider that has none
    """
    return CLIENTS[provider](config, transport)


__all__ = ["CLIENTS", "AccountConfig", "WhatsAppClient", "get_client", "parse_webhook"]
