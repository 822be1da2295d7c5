# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who may read, and act on, a message: whoever may read what it is about."""

from odoo import api, models
from odoo.tools import SQL

CONTACT = "res.partner"
# Models of nearly all documents; others are found by a partial index.
USUAL_MODELS = ("account.move", "account.payment", CONTACT)


class WhatsappBillingMessage(models.Model):
    """A message is as readable as its document, and without one as its contact.

    What customers write, to no document in particular, is for those who talk with
    customers (`group_agent`). Retrying, cancelling and the rest ask the same.
    """

    _inherit = "whatsapp.billing.message"

    _rare_document_index = models.Index(
        "(res_model) WHERE res_model NOT IN"
        " ('account.move', 'account.payment', 'res.partner')"
    )

    # === BUSINESS METHODS - ACCESS === #

    @api.model
    def _get_reading_sql(self, alias, query):
        def column(name):
            return self._field_to_sql(alias, name, query)

        model, document = column("res_model"), column("res_id")
        branches = [
            SQL(
                "%s = %s AND %s AND %s",
                model,
                name,
                self._readable_sql(name, document),
                self._names_only_readable_sql(alias, query),
            )
            for name in self._get_document_models()
        ]
        partner = column("partner_id")
        contact = [
            SQL(
                "%s = %s AND %s", model, CONTACT, self._readable_sql(CONTACT, document)
            ),
            SQL(
                "%s IS NULL AND %s IS NOT NULL AND %s",
                model,
                partner,
                self._readable_sql(CONTACT, partner),
            ),
        ]
        if self.env.user.has_group("whatsapp_billing.group_agent"):
            # Messages of unknown senders have neither document nor contact.
            branches += [*contact, SQL("%s IS NULL AND %s IS NULL", model, partner)]
        else:
            spoken = SQL("%s = 'out'", column("direction"))
            branches += [SQL("%s AND %s", spoken, branch) for branch in contact]
        return SQL("(%s)", SQL(" OR ").join(SQL("(%s)", one) for one in branches))

    @api.model
    def _names_only_readable_sql(self, alias, query):
        """Return whether all that a message names beside its document is readable.

        Overridden by reminders, which list all that is open.
        """
        return SQL("TRUE")

    @api.model
    def _get_document_models(self):
        """Return the models that messages are about, but contacts."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT res_model FROM whatsapp_billing_message
                 WHERE res_model NOT IN
                       ('account.move', 'account.payment', 'res.partner')
                """
            )
        )
        return [name for name in USUAL_MODELS if name != CONTACT] + [
            row[0] for row in rows
        ]


class WhatsappBillingMessageAttempt(models.Model):
    """An attempt is as readable as its message."""

    _name = "whatsapp.billing.message.attempt"
    _inherit = ["whatsapp.billing.message.attempt", "whatsapp.billing.rights.mixin"]

    @api.model
    def _get_reading_sql(self, alias, query):
        message = self._field_to_sql(alias, "message_id", query)
        return self._readable_sql("whatsapp.billing.message", message)
