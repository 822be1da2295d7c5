# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...rules import template_fields

# Values of variables that are no field of the document.
PAY_LINK = "wab_pay_link"
RECIPIENT_NAME = "recipient.name"
# Name of the company that writes: the document's, or the one that writes to a contact.
COMPANY_NAME = "wab_company_name"
# Lines and total of all that the customer owes, in a reminder of several invoices.
OPEN_LINES = "wab_open_lines"
OPEN_TOTAL = "wab_open_total"
OPEN_COUNT = "wab_open_count"
OLDEST_DUE = "wab_oldest_due"
# What is still open on a payment's invoices.
STILL_OPEN = "wab_still_open"
# What a payment was for, and what is left to pay, as words within a sentence.
PAID_FOR = "wab_paid_for"
LEFT_TO_PAY = "wab_left_to_pay"
SPECIAL_PATHS = {
    *(RECIPIENT_NAME, COMPANY_NAME, PAY_LINK),
    *(OPEN_LINES, OPEN_TOTAL, OPEN_COUNT, OLDEST_DUE),
    *(STILL_OPEN, PAID_FOR, LEFT_TO_PAY),
}


class Usual(NamedTuple):
    """What a row of the short list fills in: where from, how, and an example.

    `beside` is a field that tells which documents it is offered for, where a field of
    the same name is something else on others: a contact's name is no number, and the
    date of an invoice is not the one of a payment.
    """

    path: str
    format: str = "text"
    sample: str = ""
    beside: str = ""


# Values that the form of a template lists; all other fields are behind *Other*.
USUAL = {
    "recipient": Usual(RECIPIENT_NAME, sample="Ana Perez"),
    "company": Usual(COMPANY_NAME, sample="Azure Interior"),
    "number": Usual("name", sample="INV/2026/00042", beside="partner_id"),
    "total": Usual("amount_total", "money", "€120.00"),
    "amount_due": Usual("amount_residual", "money", "€120.00"),
    "due_date": Usual("invoice_date_due", "date", "Nov 30, 2026"),
    "document_date": Usual("invoice_date", "date", "Nov 1, 2026"),
    "reference": Usual("ref", sample="PO-42", beside="partner_id"),
    "bank_account": Usual(
        "partner_bank_id.acc_number", sample="ES91 2100 0418 4502 0005 1332"
    ),
    "payment_reference": Usual("payment_reference", sample="INV/2026/00042"),
    "customer": Usual("partner_id.name", sample="Azure Interior"),
    "paid": Usual("amount", "money", "€120.00", "payment_type"),
    "paid_on": Usual("date", "date", "Nov 30, 2026", "payment_type"),
    "still_open": Usual(STILL_OPEN, sample="€0.00"),
    "paid_for": Usual(PAID_FOR, sample="invoice INV/2026/00042"),
    "left_to_pay": Usual(LEFT_TO_PAY, sample="Nothing is left to pay."),
    "open_total": Usual(OPEN_TOTAL, sample="€240.00"),
    "open_lines": Usual(OPEN_LINES, sample="INV/2026/00042 €120.00 (Nov 1, 2026)"),
    "open_count": Usual(OPEN_COUNT, sample="2"),
    "oldest_due": Usual(OLDEST_DUE, sample="Nov 1, 2026"),
    "link": Usual(PAY_LINK, sample="my/invoices/42?access_token=example"),
}

VALUE_TYPES = {
    "char",
    "text",
    "selection",
    "integer",
    "float",
    "monetary",
    "date",
    "datetime",
    "many2one",
}


class WhatsappBillingTemplateVariable(models.Model):
    """What fills one placeholder, and an example of it for WhatsApp's review."""

    _name = "whatsapp.billing.template.variable"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "WhatsApp Template Variable"
    _order = "template_id, component, position"

    template_id = fields.Many2one(
        "whatsapp.billing.template", required=True, index=True, ondelete="cascade"
    )
    model = fields.Char(related="template_id.model")
    usual_sources = fields.Json(compute="_compute_usual_sources")
    component = fields.Selection(
        [("header", "Header"), ("body", "Body"), ("button", "Button")],
        required=True,
        default="body",
    )
    position = fields.Integer(required=True, default=1)
    name = fields.Char(string="Meaning", required=True)
    source = fields.Selection(
        [
            ("recipient", "Recipient"),
            ("company", "Your company"),
            ("number", "Number"),
            ("total", "Total"),
            ("amount_due", "Amount due"),
            ("due_date", "Due date"),
            ("document_date", "Date of the invoice"),
            ("reference", "Reference"),
            ("bank_account", "Bank account to pay to"),
            ("payment_reference", "Reference to pay with"),
            ("customer", "Customer"),
            ("paid", "Amount paid"),
            ("paid_on", "Date of the payment"),
            ("link", "Link"),
            ("open_lines", "Open invoices, one after the other"),
            ("open_total", "Total of the open invoices"),
            ("open_count", "Number of open invoices"),
            ("oldest_due", "Oldest due date"),
            ("still_open", "Still open after a payment"),
            ("paid_for", "What a payment was for"),
            ("left_to_pay", "What is left to pay, as a sentence"),
            ("field", "Other"),
        ],
        string="Filled With",
        help="A field of the document, the name of the person written to, or the link"
        " to the document's page, or what the customer owes in all.",
        compute="_compute_source",
        inverse="_inverse_source",
    )
    field_path = fields.Char(
        string="Field",
        help="Where the value comes from, for example partner_id.name. What the short"
        " list offers besides fields has a name here too, such as recipient.name, the"
        " person written to, or wab_pay_link, the page of the document.",
    )
    format = fields.Selection(
        [
            ("text", "Text"),
            ("money", "Money"),
            ("date", "Date"),
            ("number", "Number"),
        ],
        required=True,
        default="text",
    )
    sample = fields.Char(string="Example")
    writer_id = fields.Many2one(
        "res.users",
        string="Field Chosen By",
        copy=False,
        readonly=True,
        ondelete="set null",
        help="Nothing that this user could not read goes into a message.",
    )

    _position_unique = models.UniqueIndex(
        "(template_id, component, position)",
        "Two variables have the same place in the same part of the template.",
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "position")
    def _compute_display_name(self):
        for variable in self:
            variable.display_name = f"{{{{{variable.position}}}}} {variable.name or ''}"

    @api.depends("template_id.model")
    def _compute_usual_sources(self):
        for variable in self:
            variable.usual_sources = [
                *self._get_usual_sources(variable.template_id.model),
                "field",
            ]

    @api.depends("field_path")
    def _compute_source(self):
        sources = {usual.path: source for source, usual in USUAL.items()}
        for variable in self:
            variable.source = sources.get(variable.field_path, "field")

    @api.onchange("source")
    def _inverse_source(self):
        for variable in self:
            usual = USUAL.get(variable.source)
            if usual and variable.field_path != usual.path:
                variable.field_path = usual.path
            elif not usual and variable.field_path in SPECIAL_PATHS:
                variable.field_path = False

    @api.onchange("source")
    def _onchange_source(self):
        """Fill in meaning, format and example of what is chosen from the short list."""
        if self.source in USUAL:
            usual = self._get_usual(self.source)
            self.format = usual["format"]
            self.name = usual["name"]
            self.sample = usual["sample"]

    @api.model
    def _get_usual_sources(self, model):
        """Return what of the short list documents of this model have.

        :param model: name of the document's model; all while none is chosen
        """
        if not model or model not in self.env:
            return list(USUAL)
        return [
            source
            for source, usual in USUAL.items()
            if (not usual.beside or usual.beside in self.env[model]._fields)
            and not self._get_path_problem(model, usual.path)
        ]

    @api.model
    def _get_usual(self, source):
        """Return the values of a row of the short list."""
        labels = dict(self._fields["source"]._description_selection(self.env))
        usual = USUAL[source]
        return {
            "name": labels[source],
            "field_path": usual.path,
            "format": usual.format,
            "sample": usual.sample,
        }

    # === CONSTRAINT METHODS === #

    @api.constrains("field_path", "template_id")
    def _check_field_path(self):
        for variable in self.filtered("field_path"):
            model = variable.template_id.model
            if model and model in self.env:
                problem = self._get_path_problem(model, variable.field_path)
                if problem:
                    raise ValidationError(problem)

    @api.model
    def _get_path_problem(self, model, path):
        """Return why a value may not come from there, "" if it may.

        Values are read as superuser when messages are made. So the path is asked
        wherever one is read, and it may lead only to what customers are told anyway
        (`rules/template_fields.py`) and where both could look: whoever chose the
        field, and whoever sends.

        :param model: name of the document's model
        """
        if path in SPECIAL_PATHS:
            return "" if self._is_known_for(model, path) else self._no_field(path)
        readers = self._get_readers()
        *steps, last = path.split(".")
        for index, name in enumerate([*steps, last]):
            field = self.env[model]._fields.get(name)
            problem = self._get_shape_problem(field, path, index < len(steps))
            problem = problem or self._get_right_problem(
                model, field, path, readers, is_document=not index
            )
            if problem:
                return problem
            model = field.comodel_name
        return ""

    def _is_known_for(self, model, path):
        """Tell whether a value that is no field is known for a model's documents."""
        if path in {STILL_OPEN, PAID_FOR, LEFT_TO_PAY}:
            return hasattr(self.env[model], "_wab_still_open")
        if path in {OPEN_LINES, OPEN_TOTAL, OPEN_COUNT, OLDEST_DUE}:
            return hasattr(self.env[model], "_wab_open_lines")
        return True

    def _get_readers(self):
        """Return who must be able to read a value, each without superuser rights."""
        # sudo: res.users - whoever chose the field need not be known to the sender
        chosen_by = self.sudo().writer_id
        return self.env.user | chosen_by

    def _get_shape_problem(self, field, path, leads_on):
        """Return why a field cannot be written into a message as one value."""
        if field is None:
            return self._no_field(path)
        if field.type in ("one2many", "many2many"):
            return self.env._(
                "%(path)s leads to several records; a message takes one value.",
                path=path,
            )
        if field.type in ("binary", "image"):
            return self.env._(
                "%(path)s is a file or a picture; a message takes a text.", path=path
            )
        wanted = {"many2one"} if leads_on else VALUE_TYPES
        return "" if field.type in wanted else self._no_field(path)

    def _get_right_problem(self, model, field, path, readers, is_document):
        is_public = template_fields.is_public(
            model,
            field.name,
            is_document=is_document,
            is_sent=self.env[model]._wab_is_document(),
            depends_on_reader=not (field.store or field.compute_sudo),
        )
        if not is_public:
            return self.env._(
                "%(path)s is nothing that customers are told, so it cannot go into a"
                " message.",
                path=path,
            )
        for reader in readers:
            records = self.env[model].with_user(reader)
            if not (records.has_access("read") and not field.groups):
                return self.env._(
                    "%(path)s is kept from some users, so it cannot go into a message.",
                    path=path,
                )
        return ""

    def _no_field(self, path):
        return self.env._(
            "%(path)s is not a field whose value can be written into a message.",
            path=path,
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Ask the template whether it may still change, and note who chose the field."""
        variables = super().create(
            [vals | {"writer_id": self.env.uid} for vals in vals_list]
        )
        variables._check_editable()
        return variables

    def write(self, vals):
        """Ask the template whether it may still change; its fields always may."""
        vals = {name: value for name, value in vals.items() if name != "writer_id"}
        if "field_path" in vals:
            vals["writer_id"] = self.env.uid
        changed = {
            name
            for name in ("component", "position", "sample")
            if name in vals and any(variable[name] != vals[name] for variable in self)
        }
        if changed:
            self._check_editable()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_reviewed(self):
        self._check_editable()

    def _check_editable(self):
        if not self.env.su:
            self.template_id._check_editable({"variable_ids"})
            self.template_id._forget_refusal()
