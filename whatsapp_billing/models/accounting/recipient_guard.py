# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models

from ..common import call_arguments


class WhatsappBillingRecipientGuard(models.AbstractModel):
    """What has a list of recipients that people choose.

    A many2many takes any id. Who gets a message is shown with name and number, and
    gets documents: nobody chooses a contact that they may not read, or that is of
    another company than the document.
    """

    _name = "whatsapp.billing.recipient.guard"
    _description = "Recipients that people choose"
    _wab_recipients_name = "wab_recipient_ids"

    @api.model_create_multi
    def create(self, vals_list):
        """Override: ask for the recipients that were given, also as defaults."""
        records = super().create(vals_list)
        name = self._wab_recipients_name
        if (
            f"default_{name}" in self.env.context
            or name in self.env["ir.default"]._get_model_defaults(self._name)
            or any(name in vals for vals in vals_list)
        ):
            records._wab_check_recipients({})
        return records

    def write(self, vals):
        """Override: ask for the recipients that are added, and see to a new customer."""
        is_choice = self._wab_recipients_name in vals
        chosen = self._wab_read_recipients() if is_choice else {}
        customers = {}
        if "partner_id" in vals:
            customers = {r: r.partner_id.commercial_partner_id for r in self}
        result = super().write(vals)
        if is_choice:
            self._wab_check_recipients(chosen)
        moved = self.filtered(
            lambda r: (
                r in customers and r.partner_id.commercial_partner_id != customers[r]
            )
        )
        if moved:
            moved._wab_leave_customer(is_choice)
        return result

    def _wab_leave_customer(self, is_choice):
        """Keep from a former customer what is another one's by now.

        Who was chosen for them is not to get this one's papers.

        :param is_choice: recipients were chosen together with the new customer
        """
        if not is_choice:
            self[self._wab_recipients_name] = False

    def _wab_read_recipients(self):
        """Return {record id: all its recipients}, also those the user does not see.

        The cache keeps what the last reader saw, whoever that was.
        """
        name = self._wab_recipients_name
        self.invalidate_recordset([name])
        # sudo: res.partner - a recipient that is hidden from the user is looked for
        full = self.sudo().with_context(active_test=False)
        found = {record.id: record[name].ids for record in full}
        self.invalidate_recordset([name])
        return found

    def _wab_check_recipients(self, before):
        """Refuse recipients that are new, and not to be chosen by this user.

        :param before: {record id: ids that it had}
        :raise AccessError: for a contact that the user may not read
        :raise UserError: for one of another company
        """
        for record_id, ids in self._wab_read_recipients().items():
            added = [i for i in ids if i not in before.get(record_id, ())]
            if added:
                companies = self.browse(record_id)._wab_recipient_companies()
                call_arguments.check_partners(self.env, added, companies)

    def _wab_recipient_companies(self):
        """Return the companies whose documents go to the recipients."""
        return self.company_id or self.env.company
