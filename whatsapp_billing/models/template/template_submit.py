# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people ask of WhatsApp: review, deletion; the answer is kept in words."""

import io
from datetime import datetime, timedelta

from reportlab.lib.pagesizes import A6
from reportlab.pdfgen.canvas import Canvas

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...clients.errors import ClientError
from ...clients.whatsapp.base import TemplateDraft
from ...rules import public_address
from ..common import client_action


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

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
        added = sum(
            len(account.sudo()._copy_ready_templates()) for account in accounts
        )
        show = self.env["whatsapp.billing.account"]._show
        if added:
            return show("success", self.env._("%(count)s templates added.", count=added))
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
        # Invariant: the same bytes every time.
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
                # It may have arrived: the next synchronisation finds it by its name.
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


def _is_used_up(limit, edits, since):
    return limit is not None and sum(edit > since for edit in edits) >= limit
