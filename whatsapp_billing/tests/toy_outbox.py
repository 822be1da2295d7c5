# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The smallest outbox there is: what a queue to another system has to write.

Its models exist only while a test registers them.
"""

from dataclasses import dataclass
from types import SimpleNamespace

from odoo import fields, models

from ..clients.errors import ClientError, UnknownOutcomeError
from ..models.worker.outbox import STATES


@dataclass(frozen=True)
class Push:
    """What a thread gets: the row's id and what to write over there."""

    key: int
    text: str


class ToyConnection(models.Model):
    """A lane: one system with its own pace."""

    _module = None
    _name = "whatsapp.billing.toy.connection"
    _description = "Toy Connection"
    _inherit = ["whatsapp.billing.lane"]
    _lane_outbox = "whatsapp.billing.toy.push"
    # What the other side does with a push; a test sets it.
    _answer = None

    name = fields.Char()

    def _open_lane(self, drain):
        return Caller(self.name, self._answer)

    def _lane_pace(self):
        return 1000.0

    def _lane_threads(self):
        return 4


class ToyPush(models.Model):
    """An outbox: what is to be written into the other system."""

    _module = None
    _name = "whatsapp.billing.toy.push"
    _description = "Toy Push"
    _inherit = ["whatsapp.billing.outbox"]
    _lane_field = "connection_id"

    state = fields.Selection(STATES, required=True, default="queued")
    connection_id = fields.Many2one("whatsapp.billing.toy.connection", index=True)
    text = fields.Char()
    is_withdrawn = fields.Boolean()
    external_uid = fields.Char()
    error = fields.Char()

    def _refuse_before_call(self):
        withdrawn = self.filtered("is_withdrawn")
        return {push.id: {"state": "held", "error": "withdrawn"} for push in withdrawn}

    def _make_work(self):
        return Push(self.id, self.text.strip())

    def _after_outcomes(self, outcomes):
        for push in self:
            push.external_uid = outcomes[push.id].result
            push.error = outcomes[push.id].error and str(outcomes[push.id].error)


class Caller:
    """Writes a push over there; `answer` returns the id that it got, or raises."""

    def __init__(self, name, answer):
        self.name = name
        self.answer = answer

    def __call__(self, push):
        return SimpleNamespace(
            key=push.key, result=self.answer(self.name, push.text), error=None
        )

    def on_fault(self, push, error):
        if not isinstance(error, ClientError):
            error = UnknownOutcomeError(str(error))
        return SimpleNamespace(key=push.key, result=False, error=error)


TOYS = (ToyConnection, ToyPush)


def register(registry, cr):
    """Add the toys to a registry and their tables to its database."""
    from odoo.orm.model_classes import add_to_registry  # as Odoo's own tests do

    for toy in TOYS:
        add_to_registry(registry, toy)
    names = [toy._name for toy in TOYS]
    registry._setup_models__(cr, names)
    registry.init_models(cr, names, {"models_to_check": True})


def unregister(registry, cr):
    """Take them out of the registry again."""
    for toy in TOYS:
        del registry[toy._name]
    registry._setup_models__(cr, [])
