# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models
from odoo.exceptions import ValidationError

# Values that are no field of the document.
PAY_LINK = "wab_pay_link"
RECIPIENT_NAME = "recipient.name"
# What the customer owes in all, where a message speaks of several invoices.
OPEN_LINES = "wab_open_lines"
OPEN_TOTAL = "wab_open_total"
OPEN_COUNT = "wab_open_count"
OLDEST_DUE = "wab_oldest_due"
# What a payment leaves open on its invoices.
STILL_OPEN = "wab_still_open"
SOURCES = {
    "recipient": RECIPIENT_NAME,
    "link": PAY_LINK,
    "open_lines": OPEN_LINES,
    "open_total": OPEN_TOTAL,
    "open_count": OPEN_COUNT,
    "oldest_due": OLDEST_DUE,
    "still_open": STILL_OPEN,
}
SPECIAL_PATHS = set(SOURCES.values())

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
    _description = "WhatsApp Template Variable"
    _order = "template_id, component, position"

    template_id = fields.Many2one(
        "whatsapp.billing.template", required=True, index=True, ondelete="cascade"
    )
    model = fields.Char(related="template_id.model")
    component = fields.Selection(
        [("header", "Header"), ("body", "Body"), ("button", "Button")],
        required=True,
        default="body",
    )
    position = fields.Integer(required=True, default=1)
    name = fields.Char(string="Meaning", required=True)
    source = fields.Selection(
        [
            ("field", "Field"),
            ("recipient", "Recipient"),
            ("link", "Link"),
            ("open_lines", "Open invoices, one after the other"),
            ("open_total", "Total of the open invoices"),
            ("open_count", "Number of open invoices"),
            ("oldest_due", "Oldest due date"),
            ("still_open", "Still open after a payment"),
        ],
        string="Filled With",
        help="A field of the document, the name of the person written to, or the link"
        " to the document's page, or what the customer owes in all.",
        compute="_compute_source",
        inverse="_inverse_source",
    )
    field_path = fields.Char(
        string="Field",
        help="Where the value comes from, for example partner_id.name. Two values are"
        " no fields: recipient.name, the person written to, and wab_pay_link, the page"
        " of the document.",
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

    _position_unique = models.UniqueIndex(
        "(template_id, component, position)",
        "Two variables have the same place in the same part of the template.",
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "position")
    def _compute_display_name(self):
        for variable in self:
            variable.display_name = f"{{{{{variable.position}}}}} {variable.name or ''}"

    @api.depends("field_path")
    def _compute_source(self):
        sources = {path: source for source, path in SOURCES.items()}
        for variable in self:
            variable.source = sources.get(variable.field_path, "field")

    @api.onchange("source")
    def _inverse_source(self):
        for variable in self:
            special = SOURCES.get(variable.source)
            if special and variable.field_path != special:
                variable.field_path = special
            elif not special and variable.field_path in SPECIAL_PATHS:
                variable.field_path = False

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

        Values are read as superuser when messages are made, so a path may lead only
        where whoever writes it could look: no field or model that is kept from some
        groups, and no files.
        """
        if path in SPECIAL_PATHS:
            return ""
        names = path.split(".")
        for index, name in enumerate(names):
            field = self.env[model]._fields.get(name)
            problem = self._get_field_problem(model, field, path)
            if problem:
                return problem
            if index < len(names) - 1:
                if field.type != "many2one":
                    return self._no_field(path)
                model = field.comodel_name
        return ""

    def _get_field_problem(self, model, field, path):
        if field is None or field.type not in VALUE_TYPES:
            return self._no_field(path)
        if field.groups or not self.env[model].has_access("read"):
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
        """Ask the template whether it may still change."""
        variables = super().create(vals_list)
        variables._check_editable()
        return variables

    def write(self, vals):
        """Ask the template whether it may still change; its fields always may."""
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
