# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, models
from odoo.exceptions import AccessError


class WhatsappBillingSystemFieldsMixin(models.AbstractModel):
    """Fields that hold what the provider or this module found out.

    Whoever could write them by hand could call an account connected, a template
    approved or a number their own. The system writes them with sudo; from anybody
    else they are refused, also as defaults in the context or as a user keeps them.
    """

    _name = "whatsapp.billing.system.fields.mixin"
    _description = "WhatsApp Fields of the System"

    _system_fields = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse values that are not the user's to give."""
        if not self.env.su:
            for vals in vals_list:
                self._check_system_fields(self._system_fields & vals.keys())
        safe = self if self.env.su else self._without_system_defaults()
        return super(WhatsappBillingSystemFieldsMixin, safe).create(vals_list)

    def write(self, vals):
        """Refuse values that are not the user's to give."""
        if not self.env.su:
            self._check_system_fields(self._system_fields & vals.keys())
        return super().write(vals)

    def _without_system_defaults(self):
        names = {f"default_{name}" for name in self._system_fields}
        context = {k: v for k, v in self.env.context.items() if k not in names}
        return self.with_env(self.env(context=context))

    @api.model
    def _check_system_fields(self, names):
        if not names:
            return
        labels = ", ".join(sorted(self._fields[name].string for name in names))
        raise AccessError(
            self.env._(
                "Nobody writes these by hand, as they are what WhatsApp and this"
                " system found out: %(fields)s.",
                fields=labels,
            )
        )


class WhatsappBillingSystemRowsMixin(models.AbstractModel):
    """Rows that no user creates: the module does, on behalf of a user who sends.

    It does so as superuser, which leaves it the user and with the user what they keep
    as their defaults. Nothing of a message is a user's default: it goes to whom it was
    made for.
    """

    _name = "whatsapp.billing.system.rows.mixin"
    _description = "Rows That Only the System Makes"


class IrDefault(models.Model):
    """Everybody may keep defaults of their own: none for what is the system's."""

    _inherit = "ir.default"

    @api.model
    def _get_model_defaults(self, model_name, condition=False):
        found = super()._get_model_defaults(model_name, condition)
        if not found:  # asked for each record that is made
            return found
        model = self.env.get(model_name)
        if isinstance(model, self.pool["whatsapp.billing.system.rows.mixin"]):
            return {}
        is_ours = isinstance(model, self.pool["whatsapp.billing.rights.mixin"])
        if is_ours and self.env.su:  # made for a user: nobody asks what they may write
            return {}
        closed = getattr(model, "_system_fields", ())
        return {name: value for name, value in found.items() if name not in closed}
