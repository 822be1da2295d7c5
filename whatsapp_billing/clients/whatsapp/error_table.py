# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A provider's error codes as data: what each means for the row, and for people.

Each provider has one table, which knows the codes that we give ourselves besides its
own. Whoever stands outside of `clients/` asks for a kind or a meaning, never for a code.
What then becomes of the message: `rules/refusals.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

# Meanings of a code besides its kind, from which something of ours follows.
OPTED_OUT: Final = "opted_out"  # this person takes no advertising from us
TEMPLATE_PAUSED: Final = "template_paused"
TEMPLATE_DISABLED: Final = "template_disabled"
UNREGISTERED: Final = "unregistered"  # the sender number must be registered first
FILE_REFUSED: Final = "file_refused"  # what we uploaded cannot be used, or is gone
FILE_LOST: Final = "file_lost"  # what a customer sent can no longer be fetched
UNSPECIFIC: Final = "unspecific"  # the general refusal, which may hide any of these
BAD_CREDENTIALS: Final = "bad_credentials"


def _lt(sentence: str) -> str:
    """Mark a sentence for the extraction of terms to translate."""
    return sentence


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """What a code means; `retry_after` in seconds where the provider names a wait."""

    code: str
    kind: str
    sentence: str
    retry_after: float | None = None
    meaning: str = ""


DEFAULT_TRANSIENT = _lt(
    "WhatsApp had a problem that we do not know. Nothing needs to be done; the message"
    " is tried again by itself."
)
DEFAULT_CONTENT = _lt(
    "WhatsApp did not accept this message. Look at the details, correct what they name,"
    " and send again."
)

# Codes of our own, which every provider's table has. A message that cannot be made into
# a call gets the first.
UNSENDABLE: Final = "not_sendable"
UNSUPPORTED: Final = "unsupported"
_OWN: dict[str, dict[str, str]] = {
    "content": {
        UNSENDABLE: _lt(
            "This message cannot be put together any more: a part of it, such as the"
            " number, was erased or is damaged. Send the document again to make a new"
            " message."
        ),
        UNSUPPORTED: _lt(
            "This cannot be done from here with the provider of this account. Use the"
            " provider's own pages for it."
        ),
    },
    "connection": {
        "not_connected deadline": _lt(
            "The messaging service could not be reached. Check the internet connection"
            " of the server; what waits is tried again by itself."
        ),
    },
    "unknown": {
        "timeout connection_lost too_large no_answer no_wamid": _lt(
            "The connection broke before we heard whether this was accepted. We wait"
            " for WhatsApp to tell us; do not send it again before you know."
        ),
    },
}


class ErrorTable(Mapping[str, ErrorSpec]):
    """All that is known of one provider's codes.

    :param table: kind -> codes -> sentence; "200-299" is every code in between
    :param waits: code -> seconds until the next attempt, at least
    :param meanings: meaning -> codes
    """

    def __init__(
        self,
        table: Mapping[str, Mapping[str, str]],
        waits: Mapping[str, float] | None = None,
        meanings: Mapping[str, str] | None = None,
    ) -> None:
        """Read the table, and our own codes below it."""
        self._meanings = {
            code: meaning
            for meaning, listed in (meanings or {}).items()
            for code in _codes(listed)
        }
        self._specs = {
            code: ErrorSpec(
                code, kind, sentence, (waits or {}).get(code), self._meaning(code)
            )
            for kinds in (_OWN, table)
            for kind, sentences in kinds.items()
            for listed, sentence in sentences.items()
            for code in _codes(listed)
        }

    def __getitem__(self, code: str) -> ErrorSpec:
        """Return what a code means.

        :raise KeyError: for one that is not known
        """
        return self._specs[code]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the codes."""
        return iter(self._specs)

    def __len__(self) -> int:
        """Return how many codes are known."""
        return len(self._specs)

    def classify(
        self,
        code: str,
        http_status: int | None = None,
        is_transient: bool = False,
        *,
        subcode: str = "",
    ) -> ErrorSpec:
        """Return what a code means, whichever way it came.

        Unknown codes are transient where the provider says so or the status is 500 and
        more, else final.

        :param subcode: says more about a general code, where a provider has such
        """
        known = self._specs.get(code)
        if known is not None:
            return known
        if is_transient or (http_status or 0) >= 500:
            kind, sentence = "transient", DEFAULT_TRANSIENT
        else:
            kind, sentence = "content", DEFAULT_CONTENT
        return ErrorSpec(code, kind, sentence, meaning=self._meaning(code))

    def _meaning(self, code: str) -> str:
        return self._meanings.get(code, "")

    def code_of(self, meaning: str) -> str:
        """Return the first code with a meaning, to be kept where nobody sent one."""
        return next(
            (spec.code for spec in self._specs.values() if spec.meaning == meaning), ""
        )


def _codes(listed: str) -> Iterator[str]:
    for item in listed.split():
        first, dash, last = item.partition("-")
        if dash and first.isdigit() and last.isdigit():
            yield from map(str, range(int(first), int(last) + 1))
        else:
            yield item
