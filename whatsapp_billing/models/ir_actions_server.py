# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .. import const
from .claim.drain_reminders import REMINDER
from .common.savepoint import savepoint_or_log
from .common.send_request import SendRequest
from .document.base import AUTOMATION, NOTE_TYPE

_logger = logging.getLogger(__name__)

PENDING = "whatsapp_billing.automation"
PHONE_FIELDS = ("phone", "mobile")


class IrActionsServer(models.Model):
    """Sends on WhatsApp, for automation rules and the Actions menu of any model."""

    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[(const.METHOD, "Send WhatsApp"), ("followers",)],
        ondelete={const.METHOD: "cascade"},
    )
    wab_kind = fields.Selection(
        [
            ("document", "The document itself"),
            ("reminder", "A payment reminder"),
            ("note", "A message about it"),
        ],
        string="Send",
        compute="_compute_wab_kind",
        store=True,
        readonly=False,
        help="The document goes as from its Send button, with its rules: no drafts. A"
        " reminder goes for open invoices, to one customer once a day. A message about"
        " it goes whatever its state, without a document.",
    )
    wab_template_id = fields.Many2one(
        "whatsapp.billing.template",
        string="WhatsApp Template",
        compute="_compute_wab_template_id",
        store=True,
        readonly=False,
        ondelete="set null",
        index="btree_not_null",
        help="Empty: the default of the document in the customer's language.",
    )
    wab_partner_path = fields.Char(
        string="WhatsApp To",
        compute="_compute_wab_partner_path",
        store=True,
        readonly=False,
        help="The fields that lead to the contact. Empty: the recipients of the"
        " document, else the contact who has the record's phone number.",
    )

    # === COMPUTE METHODS === #

    @api.model
    def _name_depends(self):
        return [*super()._name_depends(), "wab_template_id", "wab_kind"]

    def _generate_action_name(self):
        """Override of `base` to say what is sent."""
        self.ensure_one()
        if self.state != const.METHOD:
            return super()._generate_action_name()
        if self.wab_template_id:
            return self.env._("WhatsApp: %(name)s", name=self.wab_template_id.name)
        if self.wab_kind == "reminder":
            return self.env._("WhatsApp: payment reminder")
        return self.env._("Send WhatsApp")

    @api.depends("state", "model_id")
    def _compute_wab_kind(self):
        for action in self:
            if action.state != const.METHOD:
                action.wab_kind = False
            elif not action.wab_kind or action._wab_is_kind_wrong():
                is_document = action._wab_model()._wab_is_document()
                action.wab_kind = "document" if is_document else "note"

    @api.depends("state")
    def _compute_wab_template_id(self):
        for action in self:
            if action.state != const.METHOD:
                action.wab_template_id = False

    @api.depends("state", "model_id")
    def _compute_wab_partner_path(self):
        for action in self:
            model = action._wab_model()
            if action.state != const.METHOD or model._wab_is_document():
                # A document knows its own recipients: no path to a contact is asked
                # for.
                action.wab_partner_path = False
            else:
                action.wab_partner_path = model._wab_partner_path() or False

    @api.depends("state")
    def _compute_available_model_ids(self):
        """Override of `base` to leave models that name nobody to write to."""
        ours = self.filtered(lambda action: action.state == const.METHOD)
        super(IrActionsServer, self - ours)._compute_available_model_ids()
        if ours:
            # sudo: ir.model.fields - names of models only
            fields_sudo = self.env["ir.model.fields"].sudo()
            models = fields_sudo._read_group(
                [
                    ("model_id.transient", "=", False),
                    ("store", "=", True),
                    "|",
                    "&",
                    ("relation", "=", "res.partner"),
                    ("ttype", "=", "many2one"),
                    ("name", "in", PHONE_FIELDS),
                ],
                ["model_id"],
            )
            ours.available_model_ids = [model.id for (model,) in models]

    @api.model
    def _warning_depends(self):
        return [
            *super()._warning_depends(),
            "model_id",
            "state",
            "wab_template_id",
            "wab_kind",
            "wab_partner_path",
        ]

    def _get_warning_messages(self):
        """Override of `base` to say what would keep every message from going."""
        self.ensure_one()
        warnings = super()._get_warning_messages()
        if self.state == const.METHOD and self.model_id:
            warnings += filter(None, self._wab_get_problems())
        return warnings

    # === ACTION METHODS === #

    def run(self):
        """Override of `base`: people send about what they may read.

        Odoo asks nothing of the records that a call names where an action is for
        groups, and what is sent is queued as superuser. Rules come here as superuser:
        whatever set them off, nobody named a record.
        """
        if not self.env.su:
            for action in self.sudo():
                if action._wab_sends():
                    self._wab_named_records(action).check_access("read")
        return super().run()

    # === BUSINESS METHODS === #

    def _wab_sends(self):
        """Tell whether this action, or one within it, sends on WhatsApp."""
        self.ensure_one()
        return self.state == const.METHOD or any(
            child._wab_sends() for child in self.child_ids
        )

    @api.model
    def _wab_named_records(self, action):
        """Return the records that a call names for an action, as its user."""
        name = action.model_id.model
        context = self.env.context
        if name not in self.env or context.get("active_model") != name:
            return self.browse()
        ids = {context.get("active_id"), *(context.get("active_ids") or ())}
        return self.env[name].browse(filter(None, ids))

    def _wab_is_kind_wrong(self):
        model = self._wab_model()
        if self.wab_kind == "reminder":
            return REMINDER not in model._wab_document_types()
        return self.wab_kind == "document" and not model._wab_is_document()

    def _wab_model(self):
        """Return no records of this action's model, nothing's where it is gone."""
        return self.env.get(self.model_id.model or "", self.env["base"])

    def _wab_get_problems(self):
        """Return sentences on what does not fit together."""
        model, template = self.model_id.model, self.wab_template_id
        if self._wab_is_kind_wrong():
            yield self.env._(
                "Only invoices and payments are documents that go out on WhatsApp;"
                " only invoices are reminded of. Send a message about it instead."
            )
        if self.wab_kind == "note" and template.header_type == "document":
            yield self.env._(
                "A message about a record carries no document: choose a template"
                " without one."
            )
        if template and model in self.env:
            yield template._get_misfit(model)
        yield self._wab_get_path_problem()

    def _wab_get_path_problem(self):
        model = self.env.get(self.model_id.model)
        if model is None:
            return ""
        names = (self.wab_partner_path or "").split(".")
        for name in filter(None, names):
            field = model._fields.get(name)
            if name == "id" and model._name == "res.partner":
                continue
            if field is None or not field.relational:
                return self._wab_no_path()
            model = self.env[field.comodel_name]
        if names != [""] and model._name != "res.partner":
            return self._wab_no_path()
        return ""

    def _wab_no_path(self):
        return self.env._("%(path)s leads to no contact.", path=self.wab_partner_path)

    def _run_action_whatsapp_billing_multi(self, eval_context=None):
        """Note what to send about; it is queued when the transaction ends.

        A rule may run in the middle of a computation, where half of a document is
        old: nothing is read, written or flushed here. At the end it is whole, and one
        message says what came of several changes.
        """
        context = eval_context or {}
        records = context.get("records") or context.get("record")
        if not records:
            return False
        wanted = self.env.cr.precommit.data.setdefault(PENDING, {})
        if not wanted:
            self.env.cr.precommit.add(self.env(context={})[self._name]._wab_send_all)
        # A record without a company is sent for the company that its user works in.
        name = (self.id, self.env.uid, self.env.company.id)
        send_request = wanted.setdefault(name, {})
        send_request.update(dict.fromkeys(records.ids))
        return False

    @api.model
    def _wab_send_all(self):
        """Queue what rules have asked for in this transaction."""
        wanted = self.env.cr.precommit.data.pop(PENDING, {})
        for (action_id, user_id, company), ids in wanted.items():
            # sudo: ir.actions.server - as rules run, in the name of who caused it
            action = self.with_user(user_id).sudo().browse(action_id).exists()
            if action:
                action = action.with_company(company)
                action = action.with_context(lang=action.env.user.lang)
                action._wab_send_safely(list(ids))

    def _wab_send_safely(self, ids):
        """Queue in a savepoint; never stop or undo what the user does."""
        text = "WhatsApp of server action %s was not queued"
        with savepoint_or_log(self.env, _logger, text, self.id):
            records = self.env[self.model_id.model].browse(ids).exists()
            if records and (self.wab_kind != "note" or self.wab_template_id):
                self._wab_send(records)

    def _wab_send(self, records):
        """Queue what this action sends about records of its model."""
        self.ensure_one()
        recipients = self._wab_get_recipients(records)
        if self.wab_kind == "note":
            return self._wab_send_notes(records, recipients)
        if self.wab_kind == "reminder":
            return self._wab_send_reminders(records, recipients)
        return records._wab_enqueue(
            recipients,
            template=self.wab_template_id.id,
            is_named=bool(self.wab_partner_path),
            **records._wab_rule_options(),
        )

    def _wab_get_recipients(self, records):
        if self.wab_partner_path:
            return records._wab_note_recipients(self.wab_partner_path)
        if records._wab_is_document():
            return records._wab_get_recipients()
        return records._wab_note_recipients()

    def _wab_send_notes(self, records, recipients):
        send_request = SendRequest(
            method=AUTOMATION, template=self.wab_template_id.id, is_note=True
        )
        types = dict.fromkeys(records.ids, NOTE_TYPE)
        messages = self.env["whatsapp.billing.message"]
        return messages._enqueue(records, recipients, types, send_request)

    def _wab_send_reminders(self, moves, recipients):
        """Remind of one invoice of each customer who is not followed up today.

        The oldest that may be reminded of: one that is disputed, paused or paid keeps
        nothing from the others.
        """
        left = moves.filtered(lambda move: move.move_type in const.REMINDABLE_MOVES)
        results = []
        while todo := self._wab_take_first(left):
            left -= todo
            found = todo._wab_enqueue(
                recipients,
                AUTOMATION,
                self.wab_template_id.id,
                purpose="collections",
                is_reminder=True,
                is_named=bool(self.wab_partner_path),
            )
            todo._wab_note_reminders(found)
            results += found
        if left:
            text = self.env._(
                "Not reminded on WhatsApp: the customer is followed up today already."
            )
            left._message_log_batch(bodies=dict.fromkeys(left.ids, text))
        return results

    def _wab_take_first(self, moves):
        """Return the oldest invoice of each customer whose day is free."""
        taken = self._wab_reminded_today(moves)
        first = defaultdict(moves.browse)
        for move in moves.sorted(lambda m: (m.invoice_date_due or m.date, m.id)):
            debtor = (move.company_id.id, move.commercial_partner_id.id)
            if debtor not in taken:
                first[debtor] = first[debtor] or move
        return moves.browse().union(*first.values())

    def _wab_reminded_today(self, moves):
        """Return {(company id, debtor id)} whose day, where they are, is taken."""
        local = moves._wab_days()
        days = {
            (move.company_id.id, move.commercial_partner_id.id): local[move.id]
            for move in moves
            if local[move.id]
        }
        if not days:
            return set()
        rows = self.env.execute_query(
            SQL(
                "SELECT company_id, debtor_id, day"
                " FROM whatsapp_billing_collection_followup"
                " WHERE day = ANY(%s) AND debtor_id = ANY(%s)",
                list(set(days.values())),
                moves.commercial_partner_id.ids,
            )
        )
        return {(row[0], row[1]) for row in rows if days.get(row[:2]) == row[2]}
