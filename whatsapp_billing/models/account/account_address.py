# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Where links in messages lead: what a customer's phone can open."""

from odoo import models
from odoo.tools import LazyTranslate

from ...clients import addresses
from ...rules import public_address

_lt = LazyTranslate(__name__)

PROBLEMS = {
    "no_address": _lt("%(url)s is not an address that a phone can open."),
    "plain": _lt(
        "%(url)s is not encrypted: phones warn about it or refuse to open it. Use an"
        " address that starts with https://."
    ),
    "private": _lt(
        "Customers cannot open %(url)s: it exists in your own network only."
    ),
    "local_name": _lt(
        "Customers cannot open %(url)s: that name is known in your own network only."
    ),
    "credentials": _lt(
        "%(url)s holds a user name or a password. Remove what stands before the @."
    ),
}


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

    # === BUSINESS METHODS === #

    def _get_link_problem(self, url):
        """Return in words what keeps customers from opening a link, "" for nothing.

        With a simulator on this machine as the provider, its customers are here too.
        """
        where = addresses.origin(self.api_url)
        is_here = bool(where) and addresses.split(where)[0].is_loopback
        code = public_address.problem(url, is_loopback_fine=is_here)
        if not code:
            return ""
        sentence = self.env._(PROBLEMS[code])
        return sentence % {"url": url}

    def _get_base_problem(self):
        """Return in words why links to this Odoo cannot be opened, "" if they can."""
        found = self._get_link_problem(self._get_base_address())
        if not found:
            return ""
        return self.env._(
            "%(problem)s That is the address of this Odoo since an administrator last"
            " logged in through it. Set web.base.url to your public address and"
            " web.base.url.freeze to True under Settings, Technical, System Parameters."
            " Templates that are approved keep the address they were approved with.",
            problem=found,
        )

    def _check_address(self):
        """Return what the check list says about links to this Odoo."""
        problem = self._get_base_problem()
        if problem:
            return [("address", self.env._("Links to this Odoo"), False, problem)]
        moved = self.env["whatsapp.billing.template"]._templates_with_other_base_url(
            self
        )
        if not moved:
            return []
        detail = self.env._(
            "This Odoo is at %(base)s now, and the buttons of %(names)s go on leading"
            " to the address they were approved with. If that one still works, nothing"
            " needs to be done. If not, make new versions of these templates: an"
            " approved one cannot be sent while a change is looked at.",
            base=self._get_base_address(),
            names=", ".join(moved.mapped("display_name")),
        )
        return [("address", self.env._("Links to this Odoo"), False, detail)]
