# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL


class WhatsappBillingCollectionFollowup(models.Model):
    """Who was followed up on which day by which channel, and with what.

    Taken before anything is said: the second run finds the customer's day taken.
    """

    _name = "whatsapp.billing.collection.followup"
    _inherit = ["whatsapp.billing.rights.mixin", "whatsapp.billing.system.rows.mixin"]
    _description = "Follow-up of a Customer"
    _order = "day desc, id desc"
    _rec_name = "day"

    company_id = fields.Many2one("res.company", required=True)
    debtor_id = fields.Many2one("res.partner", required=True, string="Customer")
    day = fields.Date(required=True, help="On the customer's calendar.")
    channel = fields.Selection(
        selection="_get_channels", string="By", required=True, default="whatsapp"
    )
    step_id = fields.Many2one(
        "whatsapp.billing.collection.step",
        ondelete="set null",
        help="Empty: somebody reminded by hand.",
    )
    message_id = fields.Many2one(
        "whatsapp.billing.message",
        index="btree_not_null",
        ondelete="set null",
        help="The first of them where several people got one.",
    )
    message_state = fields.Selection(related="message_id.state", string="Delivery")
    activity_id = fields.Many2one(
        "mail.activity", index="btree_not_null", ondelete="set null"
    )
    activity_state = fields.Selection(
        [("todo", "To do"), ("done", "Done")],
        string="Progress",
        compute="_compute_activity_state",
        compute_sudo=True,
    )
    user_id = fields.Many2one(
        "res.users", string="Person", index="btree_not_null", ondelete="set null"
    )

    _day_unique = models.UniqueIndex(
        "(debtor_id, day, company_id, channel)",
        "This customer is followed up on that day by that channel already.",
    )

    @api.model
    def _get_channels(self):
        step = self.env["whatsapp.billing.collection.step"]
        return step._fields["channel"]._description_selection(self.env)

    @api.depends("activity_id.active")
    def _compute_activity_state(self):
        for followup in self:
            activity = followup.activity_id
            followup.activity_state = activity and (
                "todo" if activity.active else "done"
            )

    @api.depends("day", "channel")
    @api.depends_context("lang")
    def _compute_display_name(self):
        channels = dict(self._get_channels())
        for followup in self:
            day = fields.Date.to_string(followup.day) or ""
            channel = channels.get(followup.channel, "")
            followup.display_name = f"{day} {channel}".strip()

    @api.model
    def _get_reading_sql(self, alias, query):
        """Tell of a customer's follow-ups to who may read invoices and the customer."""
        if not self.env["account.move"].has_access("read"):
            return SQL("FALSE")
        debtor = self._field_to_sql(alias, "debtor_id", query)
        return self._readable_sql("res.partner", debtor)

    def action_open(self):
        """Open the message, or the invoice that the activity is on."""
        self.ensure_one()
        self.check_access("read")
        if self.message_id:
            return self.message_id.action_open_message()
        # sudo: mail.activity - only which document it is on, done or not
        activity_sudo = self.activity_id.sudo()
        if not activity_sudo.res_id:
            return False
        return {
            "type": "ir.actions.act_window",
            "name": activity_sudo.res_name or self.display_name,
            "res_model": activity_sudo.res_model,
            "res_id": activity_sudo.res_id,
            "views": [(False, "form")],
        }
