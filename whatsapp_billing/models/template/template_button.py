# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models

BASE = "{base}"
# Address of the document's portal page, where it is read and paid.
DOCUMENT_PAGE = BASE + "/{{1}}"


class WhatsappBillingTemplateButton(models.Model):
    """One button; an address that starts with `{base}` follows this Odoo's own."""

    _name = "whatsapp.billing.template.button"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "WhatsApp Template Button"
    _order = "template_id, sequence, id"
    _system_fields = frozenset({"remote_value", "own_address"})
    _rec_name = "text"

    template_id = fields.Many2one(
        "whatsapp.billing.template", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("url", "Open a page"),
            ("phone", "Call a number"),
            ("quick_reply", "Quick reply"),
        ],
        required=True,
        default="url",
    )
    choice = fields.Selection(
        [
            ("document", "Open the document (view and pay)"),
            ("url", "Open a web page"),
            ("phone", "Call a number"),
            ("quick_reply", "Quick reply"),
        ],
        string="Button",
        compute="_compute_choice",
        inverse="_inverse_choice",
    )
    text = fields.Char(required=True)
    value = fields.Char(
        string="Address or Number",
        help="Page: an address. {base} stands for the address of this Odoo, and {{1}},"
        " at the very end, for what differs from document to document. Call: a number"
        " with its country code.",
    )
    remote_value = fields.Char(string="As WhatsApp Has It", copy=False, readonly=True)
    own_address = fields.Char(
        copy=False,
        readonly=True,
        help="The address of this Odoo when WhatsApp got this button from here.",
    )

    @api.depends("kind", "value")
    def _compute_choice(self):
        for button in self:
            is_page = button.kind == "url" and button.value == DOCUMENT_PAGE
            button.choice = "document" if is_page else button.kind

    @api.onchange("choice")
    def _inverse_choice(self):
        """Set what a choice stands for; one that is set already stays as it is."""
        for button in self.filtered("choice"):
            kind = "url" if button.choice == "document" else button.choice
            if button.kind != kind:
                button.kind = kind
            if button.choice == "document" and button.value != DOCUMENT_PAGE:
                button.value = DOCUMENT_PAGE
                button.text = button.text or self.env._("View and pay")
            elif button.choice == "url" and button.value == DOCUMENT_PAGE:
                button.value = False

    @api.model_create_multi
    def create(self, vals_list):
        """Ask the template whether it may still change."""
        buttons = super().create(vals_list)
        buttons._check_editable()
        return buttons

    def write(self, vals):
        """Ask the template whether it may still change."""
        if {"kind", "text", "value", "sequence"} & vals.keys():
            self._check_editable()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_reviewed(self):
        self._check_editable()

    def _check_editable(self):
        if not self.env.su:
            self.template_id._check_editable({"button_ids"})
            self.template_id._forget_refusal()

    def _get_value(self):
        """Return the value with this Odoo's address in it."""
        self.ensure_one()
        value = self.value or ""
        if BASE not in value:
            return value
        return value.replace(BASE, self._get_base())

    def _get_base(self):
        return self.env["whatsapp.billing.account"]._get_base_address()

    def _is_moved(self):
        """Tell whether WhatsApp has an earlier address of this Odoo in this button."""
        self.ensure_one()
        return bool(
            BASE in (self.value or "")
            and self.remote_value
            and self.remote_value != self._get_value()
        )

    def _note_address(self):
        """Keep what WhatsApp was just given, and that it was ours. Called with sudo.

        A link may end at an address that this Odoo had then; who says so is only
        this, not whoever writes a button.
        """
        for button in self:
            values = {"remote_value": button._get_value()}
            if (button.value or "").startswith(BASE):
                values["own_address"] = button._get_base()
            button.write(values)

    def _read_remote(self, remote):
        """Take over the address that WhatsApp has. Called with sudo.

        `{base}` stays where it stands for an address that this Odoo has, or had when
        it gave the button to WhatsApp; any other address is somebody else's.
        """
        self.ensure_one()
        for address in (self._get_base(), self.own_address):
            if address and (remote or "").startswith(f"{address}/"):
                return {
                    "value": BASE + remote.removeprefix(address),
                    "remote_value": remote,
                    "own_address": address,
                }
        return {"value": remote, "remote_value": remote, "own_address": False}
