# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Tell people about messages that failed, where Odoo tells them of e-mails and SMS.

A failed message has a notification on its line in the chatter, as a failed SMS has: it
counts in the messaging menu of whoever is to see to it until the message goes out after
all or somebody has handled it.
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.mail.tools.discuss import Store

from ... import const
from .message_display import MAX_LIVE

FAILURE = const.METHOD
# State of a message -> status of its notification once nobody has to see to it.
STATUS = {
    "queued": "ready",
    "held": "ready",
    "sending": "process",
    "unknown": "process",
    "sent": "pending",
    "delivered": "sent",
    "read": "sent",
}


class MailNotification(models.Model):
    _inherit = "mail.notification"

    notification_type = fields.Selection(
        selection_add=[(FAILURE, "WhatsApp")], ondelete={FAILURE: "cascade"}
    )
    wab_company_id = fields.Many2one(
        "res.company", string="WhatsApp of", readonly=True, index="btree_not_null"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse a forged failure: in its place nobody would be told of the real one."""
        notifications = super().create(vals_list)
        if FAILURE in notifications.mapped("notification_type"):
            self._wab_check_system()
        return notifications

    def write(self, vals):
        """Refuse making one of another: an own entry is everybody's to change."""
        if vals.get("notification_type") == FAILURE or "wab_company_id" in vals:
            self._wab_check_system()
        return super().write(vals)

    @api.model
    def _wab_check_system(self):
        if not self.env.su:
            raise AccessError(self.env._("Only the system tells of WhatsApp failures."))

    def _to_store_defaults(self, target):
        """Override of `mail` to name who is to see to ours.

        Odoo asks the author of the line, who may be nobody: a plan, a rule.
        """
        mine = Store.Attr(
            "wab_author_id",
            lambda notification: notification.author_id.id,
            predicate=lambda notification: notification.notification_type == FAILURE,
        )
        return [*super()._to_store_defaults(target), mine]

    def _wab_show_failures(self):
        """Show these failures on the open screens of the users who have to see to them.

        Whoever may not read the document any more is not told what it is called.
        """
        for partner, mine in self.grouped("author_id").items():
            user = partner.main_user_id
            if not user or len(mine) > MAX_LIVE:
                continue
            lines = mine.mail_message_id
            for model, found in lines.grouped("model").items():
                records = self.env[model].browse(found.mapped("res_id")).exists()
                seen = records.with_user(user).with_context(lang=user.lang)
                seen_ids = set(seen._filtered_access("read").ids)
                lines -= found.filtered(
                    lambda line, ids=seen_ids: line.res_id not in ids
                )
            if lines:
                store = Store(bus_channel=user)
                shown = lines.with_user(user).with_context(lang=user.lang)
                shown._message_notifications_to_store(store)
                store.bus_send()


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def notify_cancel_by_type(self, notification_type):
        """Override of `mail` to dismiss our failures from the messaging menu too."""
        result = super().notify_cancel_by_type(notification_type)
        if notification_type == FAILURE:
            self._notify_cancel_by_type_generic(FAILURE)
        return result


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === CRUD METHODS === #

    def write(self, vals):
        """Override: a failure that was seen to, or sent again, is no longer shown."""
        result = super().write(vals)
        if "is_handled" in vals:
            self.filtered(lambda message: message.direction == "out")._sync_failures()
        return result

    # === BUSINESS METHODS === #

    def _sync_failures(self):
        """Have a notification for each failed message that waits for a person."""
        if not self:
            return
        self.flush_recordset(["state", "is_handled", "mail_message_id"])
        notifications = self.env["mail.notification"].sudo()
        notifications.flush_model(["notification_status", "notification_type"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.id, m.state, n.id, n.notification_status,
                       m.state = 'failed' AND m.is_handled IS NOT TRUE
                  FROM whatsapp_billing_message m
             LEFT JOIN mail_notification n
                    ON n.mail_message_id = m.mail_message_id
                   AND n.notification_type = %(type)s
                 WHERE m.id = ANY(%(ids)s) AND m.direction = 'out'
                   AND m.mail_message_id IS NOT NULL
                   AND m.method IS DISTINCT FROM %(test)s
                   AND (n.id IS NOT NULL OR m.state = 'failed')
                """,
                type=FAILURE,
                ids=self.ids,
                test=const.TEST_METHOD,
            )
        )
        new, moved = [], defaultdict(list)
        for message_id, state, notification_id, status, is_open in rows:
            wanted = "exception" if is_open else STATUS.get(state, "canceled")
            if notification_id and status != wanted:
                moved[wanted].append(notification_id)
            elif is_open and not notification_id:
                new.append(message_id)
        told = notifications.create(self.browse(new)._failure_values())
        for status, ids in moved.items():
            found = notifications.browse(ids)
            found.notification_status = status
            told |= found
        if told:
            told._wab_show_failures()
            self._notify_waiting()

    def _failure_values(self):
        """Return the values of the notifications about these failed messages."""
        # sudo: whatsapp.billing.message - only what it was about and who is to know
        messages_sudo = self.sudo()
        owners = {
            model: self.env[model].browse(messages.mapped("res_id"))._wab_owners()
            for model, messages in messages_sudo.grouped("res_model").items()
            if model in self.env
        }
        nobody = self.env["res.users"]
        return [
            {
                "mail_message_id": message.mail_message_id.id,
                "author_id": message._get_failure_user(
                    owners.get(message.res_model, {}).get(message.res_id, nobody)
                ).partner_id.id,
                "res_partner_id": message.partner_id.id,
                "wab_company_id": message.company_id.id,
                "notification_type": FAILURE,
                "notification_status": "exception",
                "failure_type": "unknown",
                # Read at once: the notification marks the failure and belongs in no
                # inbox.
                "is_read": True,
            }
            for message in messages_sudo
        ]

    def _get_failure_user(self, owner):
        """Return who is to see to a failure: who sent it, else whose document it is.

        :param owner: who looks after the document, or nobody
        """
        self.ensure_one()
        return self._find_able(self.user_id | owner) or self._get_salesperson()

    def _tell_documents(self):
        """Let the documents follow what has become of messages about them."""
        for name in self.env["whatsapp.billing.document.mixin"]._wab_model_names():
            self.env[name]._wab_follow_messages(self)
