# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""To WhatsApp for approval, and what WhatsApp says: status, category, content."""

import io
from datetime import datetime, timedelta

from reportlab.lib.pagesizes import A6
from reportlab.pdfgen.canvas import Canvas

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

from ...clients.errors import ClientError
from ...clients.whatsapp.base import TemplateDraft
from ...rules import public_address
from ..common import client_action
from ..common.plain_json import without_null
from .template_button import BASE

# Share of failed messages above which a person is asked about a template; of fewer
# messages than the minimum it says nothing.
FAILURE_SHARE = 0.2

FEWEST_MESSAGES = 20

# States in which nobody here has to do anything about a template.
ENDED = ("approved", "pending", "deletion_pending", "deleted")


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"
    rejected_sentence = fields.Char(compute="_compute_rejected_sentence")
    is_address_moved = fields.Boolean(compute="_compute_is_address_moved")
    fixed_sentence = fields.Char(compute="_compute_fixed_sentence")

    # === CRUD METHODS === #

    def write(self, vals):
        """End what was asked about a template that needs nothing any more."""
        result = super().write(vals)
        if vals.get("status") in ENDED:
            self.env["mail.activity"]._wab_end(self, "template_unusable")
        if vals.get("active") is False:
            for reason in ("template_unusable", "template_fails"):
                self.env["mail.activity"]._wab_end(self, reason)
        return result

    # === ACTION METHODS === #

    def action_submit(self):
        """Ask WhatsApp to review these templates, new ones or changed ones."""
        self.check_access("write")
        outcomes = [template._submit() for template in self]
        # sudo: whatsapp.billing.template - what follows is the provider's word
        for template, outcome in zip(self.sudo(), outcomes, strict=True):
            template._apply_submission(outcome)
        return self._show_outcome(self.env._("Sent to WhatsApp for approval."))

    def action_request_deletion(self):
        """Ask WhatsApp to delete these templates, which cannot be undone."""
        self.check_access("write")
        outcomes = [template._delete_remote() for template in self]
        # sudo: whatsapp.billing.template - what follows is the provider's word
        for template, outcome in zip(self.sudo(), outcomes, strict=True):
            template._apply_deletion(outcome)
        return self._show_outcome(self.env._("WhatsApp is deleting the template."))

    @api.model
    def action_add_ready(self):
        """Add the ready templates that are missing, of languages activated since too."""
        self.browse().check_access("create")
        accounts = self.env["whatsapp.billing.account"].search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("state", "in", ("connected", "pending")),
            ]
        )
        # sudo: whatsapp.billing.account - drafts, as connecting an account adds them
        added = sum(len(account.sudo()._copy_ready_templates()) for account in accounts)
        show = self.env["whatsapp.billing.account"]._show
        if added:
            return show(
                "success", self.env._("%(count)s templates added.", count=added)
            )
        return show("info", self.env._("All ready templates are here already."))

    def action_delete_draft(self):
        """Delete drafts that WhatsApp has never seen, and show what is left."""
        if self.filtered("template_uid"):
            raise UserError(
                self.env._("WhatsApp knows this template: ask WhatsApp to delete it.")
            )
        self.unlink()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.template_action"
        )
        return action | {"target": "main"}

    def action_new_version(self):
        """Open a copy under the next version's name, to be changed and submitted."""
        self.ensure_one()
        copy = self.copy({"name": self.name, "account_id": self.account_id.id})
        return self._open(copy)

    def action_clone(self):
        """Open a copy to make another template from."""
        self.ensure_one()
        return self._open(self.copy())

    def action_check_status(self):
        """Read the templates of this account again."""
        self.ensure_one()
        return self.account_id.action_sync_templates()

    def action_accept_category(self):
        """Take note that WhatsApp moved the template to another category."""
        self.check_access("write")
        # sudo: whatsapp.billing.template - a note of what WhatsApp did, now read
        self.sudo().category_changed = False
        self.env["mail.activity"]._wab_end(self, "template_category")
        return True

    def _open(self, template):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": template.id,
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS - SUBMITTING === #

    def _submit(self):
        """Call the provider without writing; return its answer, or what stopped it."""
        self.ensure_one()
        refusal = self._get_refusal()
        if refusal:
            return refusal
        try:
            client = self.account_id._make_action_client()
            draft = self._prepare_draft(self._upload_sample(client))
            if self.template_uid and self.status != "draft":
                return draft, client.edit_template(self.template_uid, draft)
            return draft, client.submit_template(draft)
        except ClientError as error:
            return error
        except UserError as error:
            return str(error)

    def _get_refusal(self):
        """Return in words why it makes no sense to ask, "" if it does."""
        if not self.account_id:
            return self.env._("Choose the account that the template is for.")
        if self.status not in ("draft", "approved", "rejected", "paused"):
            return self.env._(
                "A template that is “%(status)s” cannot be submitted. Make a new"
                " version instead.",
                status=self._get_status_label(),
            )
        errors = [p["message"] for p in self.problems or [] if p["severity"] == "error"]
        if errors:
            return " ".join(errors)
        refusal = self._get_edit_refusal() if self.status == "approved" else ""
        return refusal or self._get_unreachable_link()

    def _get_unreachable_link(self):
        """Return in words which link customers could not open, "" if they can all.

        Approval takes a day, and what is approved is what customers get.
        """
        urls = [b._get_value() for b in self.button_ids if b.kind == "url"]
        for text in (self.header_text, self.body, self.footer):
            urls += public_address.links(text or "")
        problems = [self.account_id._get_link_problem(url) for url in urls]
        return next((problem for problem in problems if problem), "")

    def _get_edit_refusal(self):
        """Return why an approved template, which works, is left as it is."""
        if not self.has_unsent_changes and not self.is_address_moved:
            return self.env._("WhatsApp has approved this text already.")
        private = [
            button._get_base()
            for button in self.button_ids.filtered(lambda b: b._is_moved())
            if self.account_id._get_link_problem(button._get_base())
        ]
        if private:
            return self.env._(
                "The buttons would lead to %(address)s, which customers cannot open."
                " Correct the address of this Odoo (web.base.url) first; until then"
                " the approved template stays as it is.",
                address=private[0],
            )
        now = fields.Datetime.now()
        edits = [datetime.fromisoformat(text) for text in self.edited_at or []]
        profile = self.account_id._get_profile()
        if _is_used_up(profile.edits_per_day, edits, now - timedelta(days=1)):
            return self.env._(
                "WhatsApp takes one change a day of an approved template. Submit it"
                " again tomorrow, or make a new version."
            )
        if _is_used_up(profile.edits_per_month, edits, now - timedelta(days=30)):
            return self.env._(
                "WhatsApp takes ten changes of an approved template in 30 days. Make a"
                " new version instead."
            )
        return ""

    def _prepare_draft(self, header_handle):
        content = self._to_content()
        return TemplateDraft(
            name=self.template_name,
            lang_code=self.lang_code,
            category=self.category,
            components=self._get_codec().build(
                content, self._get_samples(), header_handle
            ),
        )

    def _upload_sample(self, client):
        """Give WhatsApp a file to look at where the header is one."""
        if self.header_type == "document":
            pdf = self._make_sample_pdf()
            return client.upload_sample(pdf, "sample.pdf", "application/pdf")
        return ""

    def _make_sample_pdf(self):
        """Return one page that says what it is."""
        buffer = io.BytesIO()
        # `invariant`: the same bytes every time, without a date.
        canvas = Canvas(buffer, pagesize=A6, invariant=1)
        canvas.drawString(36, A6[1] - 72, "Sample")
        canvas.showPage()
        canvas.save()
        return buffer.getvalue()

    def _apply_submission(self, outcome):
        """Keep the provider's answer, or why there is none. Called with sudo."""
        if isinstance(outcome, tuple):
            self._apply_accepted(*outcome)
        elif isinstance(outcome, ClientError):
            self.status_detail = self.account_id._get_error_sentence(outcome)
            self.account_id._apply_account_error(outcome)
            if outcome.kind == "unknown":
                # Outcome unknown: if it arrived, the next synchronisation finds it by
                # its name.
                self.account_id._trigger_check()
        else:
            self.status_detail = outcome

    def _apply_accepted(self, draft, result):
        was_approved = self.status == "approved"
        now = fields.Datetime.now()
        self._apply_category(result.category)
        values = self._prepare_status(result.status, result.raw_status)
        if was_approved:
            values["edited_at"] = [*(self.edited_at or [])[-29:], now.isoformat()]
        self.write(
            values
            | {
                "template_uid": result.template_uid or self.template_uid,
                "remote_components": draft.components,
                "status_detail": False,
                "has_unsent_changes": False,
                "last_checked_at": now,
                "unsupported_parts": False,
            }
        )
        self.button_ids._note_address()

    # === BUSINESS METHODS - DELETING === #

    def _delete_remote(self):
        """Call the provider without writing; return None, or what stopped it."""
        self.ensure_one()
        if not self.template_uid or self.status == "deleted":
            return None
        may_delete = self.account_id._get_profile().deletes_disabled
        if self.status == "disabled" and not may_delete:
            return self.env._(
                "WhatsApp does not delete templates that it has disabled. Archive it"
                " here instead."
            )
        try:
            client = self.account_id._make_action_client()
            client.delete_template(self.template_uid, self.template_name)
        except ClientError as error:
            return error
        except UserError as error:
            return str(error)
        return None

    def _apply_deletion(self, outcome):
        """Keep what came of a deletion. Called with sudo."""
        if isinstance(outcome, ClientError):
            self.write(
                {
                    "status": "deletion_failed",
                    "status_detail": self.account_id._get_error_sentence(outcome),
                }
            )
            self.account_id._apply_account_error(outcome)
        elif outcome:
            self.status_detail = outcome
        else:
            self.write(
                {
                    "status": "deletion_pending" if self.template_uid else "deleted",
                    "status_detail": False,
                    "is_default": False,
                }
            )

    def _show_outcome(self, message):
        """Return the action that shows what came of it.

        On the form what is wrong stands above the template, and goes with its reason.
        """
        account = self.env["whatsapp.billing.account"]
        details = [
            f"{template.display_name}: {template.status_detail}"
            for template in self
            if template.status_detail
        ]
        in_list = self.env.context.get("whatsapp_billing_in_list") or len(self) > 1
        if details and not in_list:
            return client_action.soft_reload()
        if details:
            return account._show("danger", "\n".join(details))
        return account._show("success", message)

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
            # The meaning of a quick reply is ours: WhatsApp returns the button's text
            # only.

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

    # === CRON METHODS === #

    @api.model
    def _warn_about_failures(self):
        """Ask a person to look at templates whose messages keep failing."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT template_id,
                       count(*) FILTER (WHERE state = 'failed') AS failed, count(*)
                  FROM whatsapp_billing_message
                 WHERE template_id IS NOT NULL AND direction = 'out'
                   AND state IN ('sent', 'delivered', 'read', 'failed')
                   AND create_date > %s
              GROUP BY template_id
                HAVING count(*) >= %s
                   AND count(*) FILTER (WHERE state = 'failed') >= %s * count(*)
                """,
                fields.Datetime.now() - timedelta(days=1),
                FEWEST_MESSAGES,
                FAILURE_SHARE,
            )
        )
        # sudo: mail.activity - what was asked about templates that work again
        asked = (
            self.env["mail.activity"]
            .sudo()
            .search(
                [("wab_reason", "=", "template_fails"), ("res_model", "=", self._name)]
            )
        )
        failing = {row[0] for row in rows}
        asked.filtered(lambda activity: activity.res_id not in failing).unlink()
        for template_id, failed, total in rows:
            template = self.browse(template_id)._for_reader()
            template.account_id._warn_once(
                template,
                template.env._("Messages of this template fail"),
                template.env._(
                    "%(failed)s of %(total)s messages failed in the last 24 hours. "
                    "Open Messages, filter Failed, to see why.",
                    failed=failed,
                    total=total,
                ),
                "template_fails",
            )
        return len(rows)


def _is_used_up(limit, edits, since):
    return limit is not None and sum(edit > since for edit in edits) >= limit


def _reason(word):
    return word if word and word.upper() != "NONE" else False
