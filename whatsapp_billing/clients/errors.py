# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a provider's refusal, or its silence, means for the row that caused the call.

ClientError
├── PaceError            too fast: the same row later, without end
├── TransientError       the provider has trouble: back off, then fail
│   └── NotConnectedError    no connection was made: evidence of non-acceptance
├── ContentError         this message is wrong: parameter, file
│   └── FileMissingError     its file cannot be found where it is kept: made anew, or failed
├── RecipientError       this person cannot be reached: final, says why
├── RecipientLimitError  refused for now: later, counted
├── TemplateError        stops this template
├── NumberError          stops this sender number; the account's others go on
├── AccountError         stops the account
└── UnknownOutcomeError  nobody knows whether it was accepted: never send again blindly
"""

from typing import Any, ClassVar

from .redaction import redact, redact_text


class ClientError(Exception):
    """A call that did not do what it was made for.

    `sent` is the evidence: False, it was not accepted (no connection was made, or the
    provider said no in a well-formed answer); None, the outcome is unknown.
    `message` and `details` are the provider's words, `sentence` is ours for people.
    Its text is redacted, so it may be logged.
    """

    kind: ClassVar[str] = "client"
    retries: ClassVar[bool] = False
    evidence: ClassVar[bool | None] = False

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        subcode: str = "",
        details: str = "",
        sentence: str = "",
        http_status: int | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        trace_id: str = "",
        meaning: str = "",
    ) -> None:
        """Keep the provider's answer. `retry_after` is in seconds.

        :param meaning: what the code says besides its kind (`whatsapp/error_table.py`)
        """
        super().__init__(redact_text(message))
        self.message = message
        self.code = code
        self.subcode = subcode
        self.details = details
        self.sentence = sentence
        self.http_status = http_status
        self.retryable = self.retries if retryable is None else retryable
        self.retry_after = retry_after
        self.trace_id = trace_id
        self.meaning = meaning
        self.sent: bool | None = self.evidence

    def __str__(self) -> str:
        """Return kind, code and the provider's words, redacted and on one line.

        What another side writes may not look like a line of our log.
        """
        words = [part for part in (self.message, self.details) if part]
        words = words or [self.sentence or type(self).__name__]
        text = " - ".join((f"{self.kind} {self.code}".strip(), *words))
        return redact_text(" ".join(text.split()))

    def __repr__(self) -> str:
        """Return the class and the same redacted text."""
        return f"<{type(self).__name__} {self}>"

    def as_dict(self) -> dict[str, Any]:
        """Return the error as JSON-able values, redacted, to be stored."""
        return {
            "kind": self.kind,
            "code": self.code,
            "subcode": self.subcode,
            "message": redact(self.message),
            "details": redact(self.details),
            "sentence": self.sentence,
            "http_status": self.http_status,
            "retryable": self.retryable,
            "retry_after": self.retry_after,
            "trace_id": redact(self.trace_id),
            "sent": self.sent,
        }


class PaceError(ClientError):
    """Too many calls: the same row later, at a lower pace."""

    kind = "pace"
    retries = True


class TransientError(ClientError):
    """The provider has a problem of its own: back off, give up after some attempts."""

    kind = "transient"
    retries = True


class NotConnectedError(TransientError):
    """No connection was made: name, route, refusal, TLS. Nothing was sent."""

    kind = "connection"


class ContentError(ClientError):
    """This message cannot be sent as it is: parameter, file, shape."""

    kind = "content"


class FileMissingError(ContentError):
    """The file that goes with this message is not where it is kept. Nothing was sent."""

    kind = "file"


class RecipientError(ClientError):
    """This recipient cannot receive it; trying again does not help."""

    kind = "recipient"


class RecipientLimitError(ClientError):
    """The provider refuses for now to bring more to this recipient or audience."""

    kind = "recipient_limit"
    retries = True


class TemplateError(ClientError):
    """The template is not usable: missing, paused, disabled, against policy."""

    kind = "template"


class NumberError(ClientError):
    """The sender number cannot send: registration, verification, its name."""

    kind = "number"


class AccountError(ClientError):
    """Credentials, permissions or payment: stops the account."""

    kind = "account"


class UnknownOutcomeError(ClientError):
    """The call may or may not have been accepted. Never a reason to send again."""

    kind = "unknown"
    evidence = None


KINDS: dict[str, type[ClientError]] = {
    error.kind: error
    for error in (
        PaceError,
        TransientError,
        NotConnectedError,
        ContentError,
        RecipientError,
        RecipientLimitError,
        TemplateError,
        NumberError,
        AccountError,
        UnknownOutcomeError,
    )
}
