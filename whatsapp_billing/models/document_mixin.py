# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .. import const
from ..rules import parameters
from ..rules import status as status_rules
from . import call_arguments
from .messaging.message_enqueue import Order


class WhatsappBillingDocumentMixin(models.AbstractModel):
    """What invoices, payments and contacts share: messages, their news, sending."""

    _name = "whatsapp.billing.document.mixin"
    _description = "Document that goes out on WhatsApp"

    wab_message_ids = fields.One2many(
        "whatsapp.billing.message",
        "res_id",
        string="WhatsApp Messages",
        domain=lambda self: [("res_model", "=", self._name)],
        groups="whatsapp_billing.group_user",
        copy=False,
    )
    wab_message_count = fields.Integer(
        compute="_compute_wab_state", groups="whatsapp_billing.group_user"
    )
    wab_state = fields.Selection(
        selection=lambda self: self.env["whatsapp.billing.message"]
        ._fields["state"]
        ._description_selection(self.env),
        compute="_compute_wab_state",
        search="_search_wab_state",
        string="WhatsApp",
        groups="whatsapp_billing.group_user",
        help="The best news of the messages about this document.",
    )

    # === COMPUTE METHODS === #

    @api.depends("wab_message_ids.state")
    def _compute_wab_state(self):
        found = self._wab_count_states()
        for record in self:
            states = found.get(record._origin.id or record.id, {})
            record.wab_message_count = sum(states.values())
            outgoing = [state for state in states if state != "received"]
            record.wab_state = status_rules.best(outgoing) or False

    def _wab_count_states(self):
        """Return {record id: {state: messages about it}}."""
        found = defaultdict(Counter)
        # sudo: whatsapp.billing.message - counted for whoever may read the document
        for record_id, state, count in (
            self.env["whatsapp.billing.message"]
            .sudo()
            ._read_group(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("method", "!=", const.TEST_METHOD),
                    ("company_id", "in", self.env.companies.ids),
                ],
                ["res_id", "state"],
                ["__count"],
            )
        ):
            found[record_id][state] += count
        return found

    def _search_wab_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        states = [state for state in value if state]
        wanted = SQL(
            "m.direction = 'out' AND m.state = ANY(%s) AND m.method IS DISTINCT FROM %s",
            states,
            const.TEST_METHOD,
        )
        domain = [("id", "in", self._wab_about_sql(wanted))]
        if False in value:
            anything = self._wab_about_sql(SQL("TRUE"))
            domain = ["|", ("id", "not in", anything), *domain]
        return domain

    @api.model
    def _wab_about_sql(self, condition):
        """Return a query for the records that messages `m` are about."""
        return SQL(
            "SELECT m.res_id FROM whatsapp_billing_message m"
            " WHERE m.res_model = %s AND m.company_id = ANY(%s) AND %s",
            self._name,
            self.env.companies.ids,
            condition,
        )

    # === ACTION METHODS === #

    def action_wab_messages(self):
        """Open the messages about this document."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.message_action"
        )
        action["domain"] = self._wab_message_domain()
        action["context"] = {}
        return action

    # === BUSINESS METHODS - RECIPIENTS === #

    def _wab_get_recipients(self, partners=False):
        """Return {record id: partners to write to}: the one answer to who gets it.

        Whoever the caller names; else the recipients chosen on the document; else
        those of the contact that it is addressed to
        (`res.partner._wab_default_recipients`).

        :param partners: ids of res.partner, as other programs pass them
        """
        if not call_arguments.is_absent(partners):
            companies = self._wab_companies()
            given = call_arguments.check_partners(self.env, partners, companies)
            if given:
                return {record.id: given for record in self}
        defaults = self._wab_addressees()._wab_default_recipients()
        return {
            record.id: record._wab_chosen_recipients()
            or defaults.get(record._wab_addressees()._origin.id)
            or self.env["res.partner"]
            for record in self
        }

    def _wab_chosen_recipients(self):
        """Return the recipients chosen on this document; none: its contact's."""
        self.ensure_one()
        if "wab_recipient_ids" in self._fields:
            return self.wab_recipient_ids._origin
        return self.env["res.partner"]

    def _wab_addressees(self):
        """Return the contacts that these documents are addressed to."""
        return self.partner_id

    def _wab_companies(self):
        """Return the companies that these documents are of."""
        return self.company_id or self.env.company

    # === BUSINESS METHODS === #

    @api.model
    def _wab_document_types(self):
        """Return the document types that records of this model go out as.

        A type is offered to people only when some model of the database says so here:
        templates for documents that nobody can send would lead nowhere.
        """
        return ()

    @api.model
    def _wab_models_by_type(self):
        """Return {document type: name of the model whose records it is sent for}."""
        names = self.pool.descendants([self._name], "_inherit") - {self._name}
        return {
            document_type: name
            for name in sorted(names)
            for document_type in self.env[name]._wab_document_types()
        }

    def _wab_message_domain(self):
        """Return which messages are about this record."""
        self.ensure_one()
        return [("res_model", "=", self._name), ("res_id", "=", self.id)]

    def _wab_enqueue(self, recipients, method, template=False, key=False, **options):
        """Queue messages about these records; see `whatsapp.billing.message._enqueue`.

        :param recipients: {record id: res.partner records}
        :return: one dictionary per record and recipient
        """
        call_arguments.check_records(self)
        order = Order(
            method=method,
            template=call_arguments.check_template(self.env, template),
            key=call_arguments.check_key(self.env, key),
            **options,
        )
        types = self._wab_types(order.template)
        return self.env["whatsapp.billing.message"]._enqueue(
            self, recipients, types, order
        )

    def _wab_filename(self):
        return parameters.filename(self._wab_document_name())
