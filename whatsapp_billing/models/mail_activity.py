# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .mail_message import get_rule_domain, of_company


class MailActivity(models.Model):
    """A request of ours ends by itself when its reason does."""

    _name = "mail.activity"
    _inherit = ["mail.activity", "whatsapp.billing.system.fields.mixin"]

    _system_fields = frozenset({"wab_company_id"})

    # The company whose request this is. Contacts are shared between companies; what
    # they wrote to one of them is not.
    wab_company_id = fields.Many2one(
        "res.company", string="WhatsApp of", readonly=True, ondelete="set null"
    )
    wab_reason = fields.Char(
        string="WhatsApp Reason",
        index="btree_not_null",
        help="What made WhatsApp Billing ask, so that it is asked once and ends with"
        " its reason.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Take no company from defaults in the context, whoever creates."""
        safe = self._without_system_defaults()
        return super(MailActivity, safe).create(vals_list)

    @api.model
    def _search(
        self, domain, offset=0, limit=None, order=None, *, bypass_access=False, **kwargs
    ):
        """Override of `mail`: a search through `activity_ids` asks our rule too.

        Odoo asks none there, as whoever finds a record may read its activities.
        """
        if bypass_access and not self.env.su:
            domain = Domain(domain) & get_rule_domain(self)
        return super()._search(
            domain, offset, limit, order, bypass_access=bypass_access, **kwargs
        )

    def _check_access(self, operation):
        """Override of `mail`: who may not read a request of ours changes nothing of it.

        There the right to change the contact is enough, and all companies share it.
        """
        result = super()._check_access(operation)
        if operation not in ("write", "unlink") or not self or self.env.su:
            return result
        # sudo: mail.activity - only which of them are a company's own
        ours = self.sudo().filtered("wab_company_id").with_env(self.env)
        refused = ours and ours._check_access("read")
        if not refused:
            return result
        forbidden = refused[0] | (result[0] if result else self.browse())
        return forbidden, lambda: forbidden._make_access_error(operation)

    def _action_done(self, feedback=False, attachment_ids=None):
        """Override of `mail`: the line quotes the request, and is as readable."""
        messages = self.env["mail.message"]
        following = self.browse()
        # sudo: mail.activity - only of which company each is
        groups = self.sudo().grouped("wab_company_id")
        for company, group in groups.items():
            activities = group.with_env(self.env)
            if company:
                activities = of_company(activities, company)
            posted, created = super(MailActivity, activities)._action_done(
                feedback=feedback, attachment_ids=attachment_ids
            )
            messages += posted.with_env(self.env)
            following += created.with_env(self.env)
        return messages, following

    @api.model
    def _wab_end(self, records, reason):
        """Delete what was asked about these records for this reason."""
        # sudo: mail.activity - whoever was asked, it no longer is so
        self.sudo().search(
            [
                ("wab_reason", "=", reason),
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
            ]
        ).unlink()


class MailActivityMixin(models.AbstractModel):
    _inherit = "mail.activity.mixin"

    def _search_activity_state(self, operator, value):
        """Override of `mail`: whoever may not read a request does not find its state."""
        domain = super()._search_activity_state(operator, value)
        if domain is NotImplemented or self.env.su:
            return domain
        return [
            (name, found, self._wab_among_readable(states))
            for name, found, states in domain
        ]

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Override of `mail`: nor do groups and progress bars count it."""
        before = set(query._joins)
        found = super()._read_group_groupby(alias, groupby_spec, query)
        if groupby_spec == "activity_state" and not self.env.su:
            for name in query._joins.keys() - before:
                kind, states, condition = query._joins[name]
                states = self._wab_among_readable(states)
                query._joins[name] = (kind, states, condition)
        return found

    def _wab_among_readable(self, statement):
        """Return a statement of `mail`, over no more activities than the rules leave.

        Odoo reads the table, without a rule. Here its name stands for such rows.
        """
        # As in Odoo, reading the record is enough; our rule on activities is in
        # `_search`.
        readable = self.env["mail.activity"]._search(
            Domain("res_model", "=", self._name), bypass_access=True
        )
        rows = readable.select(SQL("mail_activity.*"))
        return SQL("(WITH mail_activity AS (%s) %s)", rows, statement)
