# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What WhatsApp says about a template: status, category, content."""

from odoo import api, fields, models
from odoo.fields import Command

from ..common.plain_json import without_null
from .template_button import BASE


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    rejected_sentence = fields.Char(compute="_compute_rejected_sentence")
    is_address_moved = fields.Boolean(compute="_compute_is_address_moved")
    fixed_sentence = fields.Char(compute="_compute_fixed_sentence")

    @api.depends("button_ids.value", "button_ids.remote_value", "status")
    def _compute_is_address_moved(self):
        for template in self:
            template.is_address_moved = template.status in (
                "approved",
                "pending",
                "paused",
            ) and any(button._is_moved() for button in template.button_ids)

    @api.depends("status", "template_uid", "has_unsent_changes")
    @api.depends_context("lang")
    def _compute_fixed_sentence(self):
        """Say why a form cannot be typed into, where WhatsApp has fixed its text."""
        for template in self:
            template.fixed_sentence = (
                template.status not in ("draft", "rejected", "paused")
                and not template.has_unsent_changes
                and self.env._(
                    "WhatsApp has this text, so it stays as it is. Press New Version to"
                    " write another one; this one goes on being used meanwhile."
                )
            )

    @api.depends("rejected_reason", "status")
    def _compute_rejected_sentence(self):
        for template in self:
            reason = template.status == "rejected" and template.rejected_reason
            rejections = template.account_id._get_profile().rejections
            known = rejections.get(str(reason).upper())
            if known:
                template.rejected_sentence = self.env._(known)
            elif template.status == "rejected":
                template.rejected_sentence = reason or self.env._(
                    "WhatsApp gave no reason. Compare the text with an approved one,"
                    " change it and submit it again."
                )
            else:
                template.rejected_sentence = False

    # === BUSINESS METHODS === #

    def _components(self):
        """Return the parts that WhatsApp has approved, or those it would be asked."""
        self.ensure_one()
        return self.remote_components or self._get_codec().build(
            self._to_content(), self._get_samples()
        )

    def _get_codec(self):
        """Return what reads and writes the parts as the provider has them."""
        return self.account_id._get_profile().templates

    def _apply_remote(self, info):
        """Take over one template as the provider lists it."""
        self.ensure_one()
        # sudo: whatsapp.billing.template - the provider's word
        template_sudo = self.sudo()
        codec = template_sudo._get_codec()
        template_sudo._apply_category(info.category)
        values = template_sudo._prepare_status(info.status, info.raw_status)
        values |= {
            "template_uid": info.template_uid or template_sudo.template_uid,
            "rejected_reason": _reason(info.rejected_reason),
            "quality": info.quality or False,
            "last_checked_at": fields.Datetime.now(),
            "status_detail": False,
            "unsupported_parts": ", ".join(codec.unsupported(info)) or False,
        }
        if info.components:
            values["remote_components"] = without_null(info.components)
        was_approved = template_sudo.status == "approved"
        template_sudo.write(values)
        if template_sudo.obstacle:
            template_sudo.is_default = False
        if info.components and not template_sudo.has_unsent_changes:
            template_sudo._apply_components(info.components)
        if template_sudo.status == "approved" and not was_approved:
            template_sudo._become_default()

    def _apply_components(self, components):
        """Let our parts say what the remote ones say. Called with sudo."""
        codec = self._get_codec()
        values = codec.parse(components)
        changed = {
            name: value
            for name, value in values.items()
            if (self[name] or False) != (value or False)
        }
        if changed:
            self.write(changed)
        self._apply_buttons(codec.parse_buttons(components))
        self._apply_variables(codec.parse_samples(components))

    def _apply_buttons(self, remote):
        """Keep `{base}` in our addresses where only the base differs."""
        ours = self.button_ids.sorted("sequence")
        if [(b.kind, b.text) for b in ours] != [(r["kind"], r["text"]) for r in remote]:
            self.button_ids = [Command.clear()] + [
                Command.create(values | {"sequence": index})
                for index, values in enumerate(remote)
            ]
            ours = self.button_ids.sorted("sequence")
        for button, values in zip(ours, remote, strict=True):
            if button.kind == "url":
                button.write(button._read_remote(values["value"]))
            elif button.kind == "phone":
                button.write(dict.fromkeys(("value", "remote_value"), values["value"]))
            # What a tap means to us is our own word; WhatsApp knows the text only.

    def _apply_variables(self, samples):
        """Keep our fields for the variables that are still there."""
        self._move_only_link(samples)
        known = {(v.component, v.position): v for v in self.variable_ids}
        gone = [v.id for place, v in known.items() if place not in samples]
        new = [
            {
                "component": component,
                "position": position,
                "name": self._name_variable(component, position),
                "sample": sample or False,
            }
            for (component, position), sample in samples.items()
            if (component, position) not in known
        ]
        commands = [Command.delete(variable_id) for variable_id in gone]
        commands += [Command.create(values) for values in new]
        if commands:
            self.variable_ids = commands

    def _move_only_link(self, samples):
        """Let the only link keep its variable where its button has moved."""
        links = [place for component, place in samples if component == "button"]
        ours = self.variable_ids.filtered(lambda v: v.component == "button")
        if len(links) == len(ours) == 1 and ours.position != links[0]:
            ours.position = links[0]

    def _name_variable(self, component, position):
        if component != "button":
            return self.env._("Value %(position)s", position=position)
        button = self.button_ids.sorted("sequence")[position - 1 : position]
        return self.env._("Link of “%(text)s”", text=button.text or position)

    def _prepare_status(self, status, raw):
        """Return where a template stands, and the provider's own word for it.

        `unknown` is never sent.
        """
        return {"status": status or "unknown", "raw_status": raw or False}

    def _apply_category(self, category):
        """Take over the category, and say so to people: it decides the price.

        Called with sudo.
        """
        word = (category or "").lower()
        known = dict(self._fields["category"].selection)
        if not word or (word == self.category and self.raw_category in (False, word)):
            return
        if word not in known:
            self.raw_category = word
            return
        old = self.category
        self.write({"category": word, "raw_category": word})
        if old != word:
            self.category_changed = True
            self.env["mail.activity"]._wab_end(self, "template_category_ahead")
            self._warn(
                self.env._("WhatsApp changed the category"),
                self.env._(
                    "WhatsApp moved this template from %(old)s to %(new)s. Its price"
                    " and the consent it needs are now those of %(new)s.",
                    old=self._get_category_label(old),
                    new=self._get_category_label(word),
                ),
                "template_category",
            )

    # === BUSINESS METHODS - EVENTS === #

    def _apply_event(self, event):
        """Take over what a webhook says about this template."""
        # sudo: whatsapp.billing.template - the provider's word
        for template in self.sudo():
            template_sudo = template._for_reader()
            template_sudo._apply_category_event(event)
            if event.quality:
                template_sudo.quality = event.quality
            if event.is_rewritten:
                template_sudo.account_id._trigger_check()
            elif event.status:
                template_sudo._apply_status_event(event)

    def _apply_status_event(self, event):
        """Take over a status, unless a later one is already known.

        Webhooks come late, twice and in any order.
        """
        if event.time and event.time < self.remote_time:
            return
        values = self._prepare_status(event.status, event.event)
        values |= {
            "remote_time": event.time or self.remote_time,
            "rejected_reason": _reason(event.reason),
            "last_checked_at": fields.Datetime.now(),
        }
        if event.template_uid and not self.template_uid:
            values["template_uid"] = event.template_uid
        was = self.status
        self.write(values)
        if self.status == "approved":
            self.status_detail = False
            self._become_default()
        elif self.status == "unknown":
            self.account_id._trigger_check()
        elif self.status != was and self.status in ("rejected", "paused", "disabled"):
            self._warn(
                self.env._("WhatsApp template not usable"),
                self.rejected_sentence
                or self.env._(
                    "WhatsApp says “%(status)s” about %(name)s, so nothing is sent"
                    " with it. Look at its quality, and at what to send instead.",
                    status=self._get_status_label(),
                    name=self.display_name,
                ),
                "template_unusable",
            )

    def _apply_category_event(self, event):
        pending = event.correct_category and event.correct_category != event.category
        if pending and event.correct_category.lower() != self.category:
            self._warn(
                self.env._("WhatsApp will change the category"),
                self.env._(
                    "WhatsApp will move this template to %(new)s. Its price and the"
                    " consent it needs change with it.",
                    new=self._get_category_label(event.correct_category.lower()),
                ),
                "template_category_ahead",
            )
        elif event.is_moved:
            self._apply_category(event.category)

    def _get_category_label(self, word):
        labels = dict(self._fields["category"]._description_selection(self.env))
        return labels.get(word, word)

    def _for_reader(self):
        """Return this template in the language of whoever looks after its account."""
        if not self.account_id:
            return self
        return self.with_context(lang=self.account_id._for_reader().env.lang)

    def _warn(self, title, text, reason=False):
        if self.account_id:
            self.account_id._schedule_warning(self, title, text, reason)
        self.message_post(body=text)

    # === BUSINESS METHODS - ADDRESSES === #

    @api.model
    def _templates_with_other_base_url(self, account):
        """Return the templates whose buttons still lead to an earlier address."""
        # sudo: whatsapp.billing.template.button - whatever company it is shared with
        buttons = (
            self.env["whatsapp.billing.template.button"]
            .sudo()
            .search(
                [
                    ("template_id.account_id", "=", account.id),
                    ("template_id.status", "in", ("approved", "pending", "paused")),
                    ("value", "like", BASE),
                    ("remote_value", "!=", False),
                ]
            )
        )
        return buttons.filtered(lambda button: button._is_moved()).template_id


def _reason(word):
    return word if word and word.upper() != "NONE" else False
