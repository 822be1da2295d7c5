# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What of a template cannot be sent from here, whatever it is sent about.

WhatsApp approves more than this module fills in, and an approved button may lead
anywhere. Which it is is kept as a word, so that the last look before a call needs no
more than the row; the sentence is made for whoever reads it.
"""

from urllib.parse import urlsplit

from odoo import api, fields, models

from ... import const
from ..common import labels
from .template_variable import PAY_LINK

# What a template says and where its values come from hang on these.
TEXT_PARTS = (
    "remote_components",
    "header_type",
    "header_text",
    "body",
    "button_ids.kind",
    "button_ids.text",
    "button_ids.value",
    "button_ids.sequence",
    "button_ids.own_address",
    "variable_ids.component",
    "variable_ids.position",
    "variable_ids.field_path",
)


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    unsupported_parts = fields.Char(copy=False, readonly=True)
    unsupported = fields.Char(compute="_compute_unsupported")
    obstacle = fields.Char(compute="_compute_obstacle", store=True)
    obstacle_sentence = fields.Char(compute="_compute_obstacle_sentence")

    # === COMPUTE METHODS === #

    @api.depends("unsupported_parts")
    @api.depends_context("lang")
    def _compute_unsupported(self):
        for template in self:
            parts = (template.unsupported_parts or "").split(", ")
            known = template.account_id._get_profile().parts
            words = [labels.part(self.env, known, part) for part in parts if part]
            template.unsupported = ", ".join(words) or False

    @api.depends("unsupported_parts", "category", "document_type", *TEXT_PARTS)
    def _compute_obstacle(self):
        for template in self:
            template.obstacle = template._find_obstacle() or False

    @api.depends("obstacle", "unsupported_parts", "button_ids.text")
    @api.depends_context("lang")
    def _compute_obstacle_sentence(self):
        for template in self:
            template.obstacle_sentence = template._describe_obstacle() or False

    # === BUSINESS METHODS === #

    def _find_obstacle(self):
        """Return a word for what cannot be sent, "" when all can.

        `link:2` is the second button, which would take a document's link elsewhere.
        """
        if self.unsupported_parts:
            return "parts"
        if self.category == "authentication":
            return "category"
        if self.category == "marketing" and self.document_type in const.VENDOR_TYPES:
            return "vendor"
        links = self.variable_ids.filtered(lambda v: v.field_path == PAY_LINK)
        if any(variable.component != "button" for variable in links):
            return "text"
        if links:
            own = self._get_own_addresses()
            places = self._get_button_variables()
            for place, url in self._get_codec().links(self._components()).items():
                if places.get(place) in links and not _leads_here(url, own):
                    return f"link:{place}"
        return ""

    def _describe_obstacle(self):
        """Return in words what cannot be sent and what to do, "" when all can."""
        word, _colon, place = (self.obstacle or "").partition(":")
        if word == "parts":
            return self.env._(
                "This template has parts that cannot be sent from here: %(parts)s."
                " Make another one without them.",
                parts=self.unsupported,
            )
        if word == "category":
            return self.env._(
                "Templates for one-time codes cannot be sent from here. Make one for"
                " messages about documents."
            )
        if word == "vendor":
            return self.env._(
                "Vendors get messages about their business with you and no offers."
                " Choose Utility, or a template for customers."
            )
        if word == "text":
            return self.env._(
                "The link of a document opens it without a password, so it belongs"
                " into a button of its own and not into the text."
            )
        if word == "link":
            text, url = self._get_codec().button_at(self._components(), int(place))
            return self.env._(
                "The button “%(text)s” leads to %(host)s. The link of a document opens"
                " it without a password, so it goes only into a button that leads to"
                " this Odoo. Fill it with something else.",
                text=text,
                host=urlsplit(url).netloc or url,
            )
        return ""

    def _get_button_variables(self):
        """Return {place of a button: the variable that its link ends with}.

        One link and one variable belong together, wherever the button stands.
        """
        links = self._get_codec().links(self._components())
        variables = self.variable_ids.filtered(lambda v: v.component == "button")
        if len(links) == len(variables) == 1:
            return {next(iter(links)): variables}
        return {variable.position: variable for variable in variables}

    def _get_own_addresses(self):
        """Return the addresses that this Odoo has, or had when buttons were approved."""
        accounts = self.env["whatsapp.billing.account"]
        addresses = {accounts._get_base_address(), *self.button_ids.mapped("own_address")}
        return addresses - {"", False}


def _leads_here(url, own_addresses):
    """Tell whether a link ends at a page of ours, whatever its variable says.

    The address and a slash, so that `https://ours.example.com.evil.net` is another
    one, and nothing in between that could hand the rest on.
    """
    start = url.partition("{{")[0]
    return any(
        start.startswith(f"{address}/")
        and not set("?#\\@") & set(start[len(address) :])
        for address in own_addresses
    )
