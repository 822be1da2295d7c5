# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The smallest document type there is; `doc/documents.md` explains it."""

from odoo import api, fields, models

TYPE = "test_document"


class WhatsappBillingTestDocument(models.Model):
    """A delivery note: who gets it, its file, and what must not have changed."""

    _name = "whatsapp.billing.test.document"
    _inherit = ["mail.thread", "whatsapp.billing.document.mixin"]
    _description = "Test Document"

    name = fields.Char(required=True)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    partner_id = fields.Many2one("res.partner", index=True)
    state = fields.Selection(
        [("draft", "Draft"), ("done", "Done"), ("gone", "Gone")], default="done"
    )
    parcels = fields.Integer(default=1)

    # === BUSINESS METHODS === #

    def wab_send(self, template=False, partners=False, key=False):
        """Send these on WhatsApp; parameters and answer as of `account.move.wab_send`."""
        return self._wab_send("wab_send", template, partners, key)

    @api.model
    def _wab_document_types(self):
        return (TYPE,)

    def _wab_document_type(self):
        return TYPE

    def _wab_document_facts(self):
        states = {"done": "posted", "gone": "cancel"}
        return {"document_state": states.get(self.state, self.state)}

    @api.model
    def _wab_fingerprint_sql(self):
        return self._wab_columns_sql(["name", "partner_id", "parcels"])

    @api.model
    def _wab_fingerprint_paths(self):
        return ("name", "parcels")

    @api.model
    def _wab_example_domain(self, document_type):
        return [("state", "=", "done")]

    # --- its file -----------------------------------------------------------------

    @api.model
    def _wab_has_file(self, document_type):
        return document_type == TYPE

    def _wab_attachment(self):
        # sudo: ir.attachment - the file of a document that the user may read
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("description", "=", f"parcels: {self.parcels}"),
                ],
                limit=1,
            )
        )

    def _wab_make_file(self):
        return self._wab_attachment() or self.env["ir.attachment"].create(
            {
                "name": self._wab_filename(),
                "raw": b"%%PDF-1.4 %i parcels" % self.parcels,
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
                "description": f"parcels: {self.parcels}",
            }
        )


class WhatsappBillingMessage(models.Model):
    """The name of the type, where all of them are."""

    _inherit = "whatsapp.billing.message"

    document_type = fields.Selection(selection_add=[(TYPE, "Test Document")])
