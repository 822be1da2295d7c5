# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The providers there are: one line each."""

from ..transport import Transport
from .base import AccountConfig, WhatsAppClient
from .dialog360 import Dialog360Client
from .meta.client import MetaCloudClient
from .profile import Profile

# The first one is the default of a new account.
CLIENTS: dict[str, type[WhatsAppClient]] = {
    client.profile.name: client for client in (MetaCloudClient, Dialog360Client)
}
PROFILES: dict[str, Profile] = {
    name: client.profile for name, client in CLIENTS.items()
}
DEFAULT = next(iter(PROFILES))


# Those whose statuses bring back our token, and whose silence therefore proves something.
PROVING = sorted(
    name for name, profile in PROFILES.items() if profile.returns_proof_token
)


def get_client(
    provider: str, config: AccountConfig, transport: Transport
) -> WhatsAppClient:
    """Return a provider's client.

    :raise KeyError: for a provider that has none
    """
    return CLIENTS[provider](config, transport)


def get_profile(provider: str) -> Profile:
    """Return what makes a provider differ.

    :raise KeyError: for a provider that is not known
    """
    return PROFILES[provider]
