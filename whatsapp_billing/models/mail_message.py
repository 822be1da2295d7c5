# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.fields import Domain

TICK_FIELDS = {"wab_message_id", "wab_state", "wab_text"}
LINE_COMPANY = "wab_line_company"
AGENT = "whatsapp_billing.group_agent"


class LineCompany(int):
    """Id of the company that chatter lines are of, in the context of our own code.

    Over the wire come plain numbers: nobody names another company's lines that way.
    """


def get_rule_domain(records):
    """Return which rows of this model the user's record rules leave to be read."""
    return records.env["ir.rule"]._compute_domain(records._name, "read")


def of_company(records, company):
    """Return records whose new chatter lines are this company's alone."""
    return records.with_context(**{LINE_COMPANY: LineCompany(company.id)})


class MailMessage(models.Model):
    _name = "mail.message"
    _inherit = ["mail.message", "whatsapp.billing.system.fields.mixin"]

    _system_fields = frozenset({"wab_company_id"})

    # The company whose line this is. Contacts are shared between companies; what they
    # wrote to one of them, and what it wrote to them, is not.
    wab_company_id = fields.Many2one(
        "res.company", string="WhatsApp of", readonly=True, ondelete="set null"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Give lines the company for which our own code writes them, if any."""
        safe = self._without_system_defaults()
        lines = super(MailMessage, safe).create(vals_list)
        company = self.env.context.get(LINE_COMPANY)
        if isinstance(company, LineCompany):
            # sudo: mail.message - of which company a line is, is the system's to write
            lines.sudo().wab_company_id = int(company)
        return lines

    @api.model
    def _search(
        self, domain, offset=0, limit=None, order=None, *, bypass_access=False, **kwargs
    ):
        """Override of `mail`: a search through `message_ids` asks our rule too.

        Odoo asks none there, as whoever finds a record may read its lines.
        """
        if bypass_access and not self.env.su:
            domain = Domain(domain) & get_rule_domain(self)
        return super()._search(
            domain, offset, limit, order, bypass_access=bypass_access, **kwargs
        )

    def _to_store_defaults(self, target):
        """Override of `mail` to show our ticks to people of the company."""
        defaults = super()._to_store_defaults(target)
        return (
            defaults + sorted(TICK_FIELDS) if target.is_internal(self.env) else defaults
        )

    def _to_store(self, store, fields, **kwargs):
        """Override of `mail`: our names are no fields of this model."""
        super()._to_store(
            store,
            [f for f in fields if not (isinstance(f, str) and f in TICK_FIELDS)],
            **kwargs,
        )
        if TICK_FIELDS.intersection(f for f in fields if isinstance(f, str)):
            lines = {line.id: line for line in self}
            for ticks in self._wab_ours()._wab_ticks():
                values = dict(ticks)
                store.add(lines[values.pop("id")], values)

    def _wab_ours(self):
        """Return the lines on documents that messages can be about.

        All others, and every chat, cost no query.
        """
        mixin = self.pool["whatsapp.billing.document.mixin"]
        return self.filtered(
            lambda line: (
                line.model in self.pool and issubclass(self.pool[line.model], mixin)
            )
        )

    def _wab_ticks(self):
        """Return what the chatter shows beside lines that went out on WhatsApp.

        :return: list of {id, wab_message_id, wab_state, wab_text}
        """
        if not self:
            return []
        # sudo: whatsapp.billing.message - shown to whoever reads the chatter line
        messages = (
            self.env["whatsapp.billing.message"]
            .sudo()
            .search([("mail_message_id", "in", self.ids)])
        )
        return [
            {
                "id": message.mail_message_id.id,
                "wab_message_id": message.id,
                "wab_state": message.state,
                "wab_text": message._tick_text(),
            }
            for message in messages
        ]


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Override of `mail`: followers who may not read a line are not sent it."""
        found = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        # sudo: mail.message - only of which company it is
        company = message.sudo().wab_company_id
        if not company:
            return found
        # sudo: res.users - only of which companies and groups the followers are
        users = self.env["res.users"].sudo()
        users = users.browse([one["uid"] for one in found if one["uid"]])
        readers = users.filtered(
            lambda user: company in user.company_ids and user.has_group(AGENT)
        )
        return [one for one in found if one["uid"] in readers.ids]
