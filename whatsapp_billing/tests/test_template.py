# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import json
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import file_open

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

from ..clients.errors import NotConnectedError
from ..clients.whatsapp.base import TemplateEvent, TemplateInfo
from ..clients.whatsapp.meta.payloads import template_status
from ..clients.whatsapp.meta.templates import MetaTemplates
from .common import WhatsappBillingCommon

BODY = [{"type": "BODY", "text": "Hello {{1}}, all is well.", "example": {}}]


@tagged("post_install", "-at_install")
class TestTemplate(WhatsappBillingCommon, CronMixinCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.templates["invoice"]

    def _draft(self, **values):
        return (
            self.env["whatsapp.billing.template"]
            .with_user(self.manager)
            .create(
                {
                    "name": "My Invoice",
                    "account_id": self.account.id,
                    "document_type": "invoice",
                    "body": "Hello {{1}}, here is your invoice.",
                    "variable_ids": [
                        Command.create(
                            {
                                "position": 1,
                                "name": "Recipient",
                                "field_path": "recipient.name",
                                "sample": "Ana",
                            }
                        )
                    ],
                    **values,
                }
            )
        )

    def _answer_submission(self, status="PENDING", category="UTILITY"):
        self.transport.add("POST", "/uploads", self._answer({"id": "upload:abc"}))
        self.transport.add("POST", "upload:abc", self._answer({"h": "4::handle"}))
        self.transport.add(
            "POST",
            "/message_templates",
            self._answer({"id": "900", "status": status, "category": category}),
        )

    def _info(self, template, **values):
        given = {
            "template_uid": template.template_uid,
            "name": template.template_name,
            "lang_code": template.lang_code,
            "category": "utility",
            "raw_status": "APPROVED",
            "components": template.remote_components or [],
        }
        given |= values
        given["status"] = template_status(given["raw_status"])
        return TemplateInfo(**given)

    def _event(self, template, event, field="message_template_status_update", **values):
        template._apply_event(
            TemplateEvent(
                field=field,
                template_uid=template.template_uid or "",
                event=event,
                status=template_status(event) if event else "",
                is_moved=field == "template_category_update",
                is_rewritten=field == "message_template_components_update",
                **values,
            )
        )

    # === WRITING === #

    def test_name_at_whatsapp_follows_the_name(self):
        self.assertEqual(self._draft().template_name, "my_invoice")

    def test_names_must_be_what_whatsapp_takes(self):
        with self.assertRaises(ValidationError):
            self._draft(template_name="My Invoice")

    def test_clerks_read_and_do_not_write(self):
        template = self.template.with_user(self.clerk)
        self.assertTrue(template.body)
        with self.assertRaises(AccessError):
            template.name = "Mine"
        with self.assertRaises(AccessError):
            template.action_submit()

    def test_problems_appear_while_writing(self):
        with Form(self._draft()) as form:
            form.body = "{{1}}"
            self.assertIn("begin or end", str(form.problem_html))

    def test_pending_templates_cannot_be_edited(self):
        self.template.status = "pending"
        template = self.template.with_user(self.manager)
        with self.assertRaisesRegex(UserError, "new version"):
            template.body = "Other"
        with self.assertRaises(UserError):
            template.button_ids.text = "Other"
        template.variable_ids[0].field_path = "partner_id.name"

    def test_approved_templates_keep_name_and_category(self):
        template = self.template.with_user(self.manager)
        for values in ({"category": "marketing"}, {"template_name": "x"}):
            with self.assertRaises(UserError):
                template.write(values)
        template.body = "Hello {{1}}, {{2}} over {{3}} is here."
        self.assertTrue(template.has_unsent_changes)

    def test_secret_and_missing_fields_cannot_be_named(self):
        variable = self._draft().variable_ids
        for path in (
            "partner_id.nothing",
            "line_ids.name",
            "company_id.logo",
            "company_id.wab_account_id.access_token_cipher",
            "name.id",
        ):
            with self.assertRaises(ValidationError, msg=path):
                variable.field_path = path
        variable.field_path = "partner_id.country_id.name"

    def test_clone_and_new_version_are_drafts_with_the_next_name(self):
        template = self.template.with_user(self.manager)
        copies = template.browse(
            [
                template.action_new_version()["res_id"],
                template.action_clone()["res_id"],
                template.copy().id,
            ]
        )
        self.assertEqual(
            copies.mapped("template_name"),
            ["test_invoice_v2", "test_invoice_v3", "test_invoice_v4"],
        )
        self.assertEqual(set(copies.mapped("status")), {"draft"})
        self.assertFalse(any(copies.mapped("is_default")))
        self.assertEqual(copies[0].button_ids.value, "{base}/{{1}}")
        self.assertFalse(copies[0].button_ids.remote_value)

    def test_one_default_per_document_and_language(self):
        draft = self._draft()
        draft.action_set_default()
        self.assertTrue(draft.is_default)
        self.assertFalse(self.template.is_default)
        self.template.is_default = True
        self.assertFalse(draft.is_default)
        created = self._draft(name="Another", is_default=True)
        self.assertTrue(created.is_default)
        self.assertFalse(self.template.is_default)

    def test_default_is_found_by_language_approved_ones_first(self):
        spanish = self._make_template(self.account, "invoice", "es")
        find = self.env["whatsapp.billing.template"].with_user(self.clerk)._find_default
        self.assertEqual(find(self.account, "invoice", ["es_MX", "es", "en"]), spanish)
        spanish.status = "paused"
        self.assertEqual(find(self.account, "invoice", ["es", "en"]), self.template)
        self.assertEqual(find(self.account, "invoice", ["es"]), spanish)
        self.assertFalse(find(self.account, "quotation", ["es"]))

    def test_shared_templates_are_seen_by_other_companies(self):
        company = self.env["res.company"].create({"name": "Other"})
        manager = self._make_user(
            "wab_other", "whatsapp_billing.group_manager", company
        )
        self.template.company_id = False
        found = self.env["whatsapp.billing.template"].with_user(manager).search([])
        self.assertEqual(found, self.template)

    # === SUBMITTING === #

    def test_submitting_sends_a_sample_and_keeps_the_answer(self):
        self._answer_submission()
        copy = self.template.copy().with_user(self.manager)
        copy.action_submit()
        self.transport.assert_all_called()
        self.assertRecordValues(
            copy, [{"status": "pending", "template_uid": "900", "status_detail": False}]
        )
        sent = self.transport.calls[-1].json
        self.assertEqual(sent["name"], "test_invoice_v2")
        parts = {part["type"]: part for part in sent["components"]}
        self.assertEqual(parts["HEADER"]["example"]["header_handle"], ["4::handle"])
        button = parts["BUTTONS"]["buttons"][0]
        self.assertEqual(button["url"], "https://odoo.example.com/{{1}}")
        self.assertTrue(button["example"][0].startswith("https://odoo.example.com/my"))
        self.assertEqual(copy.button_ids.remote_value, button["url"])

    def test_sample_is_a_pdf(self):
        self.assertTrue(self.template._make_sample_pdf().startswith(b"%PDF"))

    def test_category_in_the_answer_counts(self):
        self._answer_submission(status="APPROVED", category="MARKETING")
        draft = self._draft()
        draft.action_submit()
        self.assertRecordValues(
            draft,
            [{"status": "approved", "category": "marketing", "category_changed": True}],
        )

    def test_our_own_rules_stop_before_the_call(self):
        draft = self._draft(body="{{1}}")
        action = draft.action_submit()
        self.assertEqual(self.transport.calls, [])
        self.assertEqual(draft.status, "draft")
        self.assertTrue(draft.status_detail)
        # The form says it, once: neither a toast nor the list of problems beside it.
        self.assertEqual(action["tag"], "soft_reload")
        self.assertNotIn("text-danger", draft.problem_html)
        draft.body = "Hello {{1}}, it is {{2}}."
        self.assertFalse(draft.status_detail)
        self.assertIn("text-danger", draft.problem_html)

    def test_refusal_is_shown_not_raised(self):
        self.transport.add("POST", "/message_templates", self._refusal(100))
        draft = self._draft()
        action = draft.with_context(whatsapp_billing_in_list=True).action_submit()
        self.assertRecordValues(draft, [{"status": "draft", "template_uid": False}])
        self.assertTrue(draft.status_detail)
        self.assertIn(draft.status_detail, action["params"]["message"])
        self.assertEqual(self.account.state, "connected")

    def test_refused_token_stops_the_account(self):
        self.transport.add("POST", "/message_templates", self._refusal(190))
        self._draft().action_submit()
        self.assertEqual(self.account.state, "error")

    def test_approved_templates_take_one_edit_a_day(self):
        self.transport.add(
            "POST", f"/{self.template.template_uid}", self._answer({"success": True})
        )
        template = self.template.with_user(self.manager)
        template.header_type = "none"
        template.action_submit()
        self.assertEqual(template.status, "pending")
        self.assertFalse(template.has_unsent_changes)
        self.template.status = "approved"
        template.footer = "Thank you"
        template.action_submit()
        self.assertIn("tomorrow", template.status_detail)
        with freeze_time(fields.Datetime.now() + timedelta(hours=25)):
            self.assertEqual(template._get_edit_refusal(), "")

    def test_deletion_is_a_request(self):
        self.transport.add("DELETE", "/message_templates", self._answer({"success": 1}))
        template = self.template.with_user(self.manager)
        template.action_request_deletion()
        self.assertRecordValues(
            template, [{"status": "deletion_pending", "is_default": False}]
        )

    def test_failed_deletion_can_be_tried_again(self):
        self.transport.add(
            "DELETE",
            "/message_templates",
            [NotConnectedError(), self._answer({"success": True})],
        )
        template = self.template.with_user(self.manager)
        template.action_request_deletion()
        self.assertEqual(template.status, "deletion_failed")
        self.assertTrue(template.status_detail)
        template.action_request_deletion()
        self.assertEqual(template.status, "deletion_pending")

    def test_disabled_templates_are_not_deleted(self):
        self.template.status = "disabled"
        self.template.action_request_deletion()
        self.assertEqual(self.template.status, "disabled")
        self.assertEqual(self.transport.calls, [])

    def test_remote_templates_are_not_removed_here(self):
        with self.assertRaises(UserError):
            self.template.with_user(self.manager).unlink()
        self._draft().unlink()

    # === SYNCHRONISING === #

    def _sync(self, infos):
        self.account._apply_templates(infos)

    def test_sync_matches_by_id_then_by_name(self):
        draft = self._draft(template_name="mine")
        infos = [
            self._info(self.template, name="renamed", raw_status="PAUSED"),
            self._info(draft, template_uid="7", components=BODY),
        ]
        self._sync(infos)
        self.assertEqual(self.template.status, "paused")
        self.assertRecordValues(
            draft,
            [{"template_uid": "7", "status": "approved", "body": BODY[0]["text"]}],
        )
        self.assertEqual(draft.variable_ids.field_path, "recipient.name")

    def test_sync_adds_what_is_new_and_marks_what_is_gone(self):
        self._sync(
            [
                TemplateInfo(
                    "8", "new_one", "pt_BR", status="pending", components=BODY
                )
            ]
        )
        new = self.env["whatsapp.billing.template"].search([("template_uid", "=", "8")])
        self.assertRecordValues(
            new,
            [
                {
                    "lang_code": "pt_BR",
                    "status": "pending",
                    "company_id": self.company.id,
                }
            ],
        )
        self.assertEqual(len(new.variable_ids), 1)
        self.assertRecordValues(
            self.template, [{"status": "deleted", "is_default": False}]
        )

    def test_unknown_words_are_kept_and_not_sendable(self):
        self.template._apply_remote(
            self._info(self.template, raw_status="HIBERNATING", category="newsletter")
        )
        self.assertRecordValues(
            self.template,
            [
                {
                    "status": "unknown",
                    "raw_status": "HIBERNATING",
                    "category": "utility",
                    "raw_category": "newsletter",
                }
            ],
        )

    def test_sync_keeps_base_in_our_addresses(self):
        self._sync([self._info(t) for t in self.templates.values()])
        self.assertEqual(self.template.button_ids.value, "{base}/{{1}}")
        self.env["ir.config_parameter"].sudo().set_param(
            "web.base.url", "https://moved.example.com"
        )
        moved = self.template._templates_with_other_base_url(self.account)
        self.assertEqual(
            moved, self.templates["invoice"] | self.templates["payment_reminder"]
        )

    def test_sync_leaves_unsent_changes_alone(self):
        self.template.with_user(self.manager).body = "Hello {{1}}, {{2}} {{3}} changed."
        self.template._apply_remote(self._info(self.template))
        self.assertIn("changed", self.template.body)
        self.assertNotIn("changed", str(self.template._components()))

    def test_parts_that_we_cannot_fill_are_named(self):
        parts = [*BODY, {"type": "HEADER", "format": "VIDEO"}]
        self.template._apply_remote(
            self._info(self.template, components=parts, parameter_format="NAMED")
        )
        self.assertEqual(
            self.template.unsupported,
            "a video in the header (VIDEO), variables with names (NAMED)",
        )

    # === EVENTS === #

    def test_approval_by_webhook(self):
        draft = self._draft(lang_code="es")
        draft.sudo().write({"status": "pending", "template_uid": "9"})
        self._event(draft, "APPROVED", time=100)
        self.assertRecordValues(draft, [{"status": "approved", "is_default": True}])
        self.assertTrue(draft.last_checked_at)

    def test_rejection_is_explained(self):
        self._event(self.template, "REJECTED", reason="PROMOTIONAL", time=100)
        self.assertEqual(self.template.status, "rejected")
        self.assertEqual(self.template.rejected_reason, "PROMOTIONAL")
        self.assertIn("offer", self.template.rejected_sentence)
        self.assertTrue(self.template.activity_ids)

    def test_late_events_change_nothing(self):
        self._event(self.template, "PAUSED", time=200)
        self._event(self.template, "APPROVED", time=100)
        self.assertEqual(self.template.status, "paused")
        self._event(self.template, "REINSTATED", time=300)
        self.assertEqual(self.template.status, "approved")

    def test_unknown_events_have_the_templates_read(self):
        cron = self.env.ref("whatsapp_billing.ir_cron_templates")
        with self.capture_triggers(cron.id) as capture:
            self._event(self.template, "UNARCHIVED", time=1)
        self.assertTrue(capture.records)
        self.assertEqual(self.template.status, "unknown")

    def test_category_change_is_flagged(self):
        self._event(
            self.template,
            "",
            field="template_category_update",
            category="utility",
            correct_category="marketing",
        )
        self.assertEqual(self.template.category, "utility")
        self._event(
            self.template,
            "",
            field="template_category_update",
            category="marketing",
            previous_category="utility",
        )
        self.assertRecordValues(
            self.template, [{"category": "marketing", "category_changed": True}]
        )
        self.assertEqual(
            self.template.activity_ids.mapped("summary"),
            ["WhatsApp changed the category"],
            "what was announced is done",
        )
        self.template.with_user(self.manager).action_accept_category()
        self.assertFalse(self.template.activity_ids)

    def test_quality_is_kept(self):
        self._event(
            self.template, "", field="message_template_quality_update", quality="RED"
        )
        self.assertEqual(self.template.quality, "RED")

    # === READY TEMPLATES === #

    def test_ready_templates_pass_our_own_rules(self):
        self.env["whatsapp.billing.template"].search([]).sudo().write(
            {"status": "deleted"}
        )
        for code in ("es_ES", "pt_BR"):
            self.env["res.lang"]._activate_lang(code)
        ready = self.account.sudo()._copy_ready_templates()
        self.assertEqual(len(ready), 30)
        for template in ready:
            self.assertFalse(template.problems, template.display_name)
            for variable in template.variable_ids:
                self.assertFalse(
                    variable._get_path_problem(template.model, variable.field_path)
                )
        self.assertFalse(self.account.sudo()._copy_ready_templates())

    def test_ready_templates_survive_the_way_to_whatsapp_and_back(self):
        with file_open("whatsapp_billing/data/ready_templates.json") as file:
            ready = json.load(file)
        for values in ready:
            vals = self.account._prepare_ready(values)
            template = self.env["whatsapp.billing.template"].new(vals)
            parts = template._components()
            parsed = MetaTemplates().parse(parts)
            self.assertEqual(parsed["body"], values["body"])
            samples = MetaTemplates().parse_samples(parts)
            self.assertEqual(samples, template._get_samples())

    # === PREVIEW === #

    def test_preview_shows_a_document(self):
        invoice = self._make_invoice()
        template = self.template.with_user(self.manager)
        template.preview_res_id = invoice.id
        html = str(template.preview_html)
        self.assertIn(invoice.name, html)
        self.assertIn("Ana Perez", html)
        self.assertIn("View and pay", html)

    def test_variables_are_chips_with_their_meaning(self):
        template = self.template
        template.body = "A {{1}} <b> {{9}}"
        first = template.variable_ids.filtered(
            lambda v: v.component == "body" and v.position == 1
        )
        first.write({"name": "Who <i>", "sample": "Ana"})
        chips = str(template.body_chips)
        self.assertIn('title="Ana">Who &lt;i&gt;</span> &lt;b&gt;', chips)
        self.assertNotIn("{{1}}", chips)
        self.assertIn('missing" title="Add this variable below.">{{9}}', chips)

    def test_preview_without_document_shows_the_examples(self):
        template = self.template.with_user(self.manager)
        template.preview_res_id = False
        self.assertIn("INV/1", str(template.preview_html))

    def test_form_opens_for_managers(self):
        with Form(
            self.env["whatsapp.billing.template"].with_user(self.manager)
        ) as form:
            form.name = "Hello"
            form.lang_choice = "es"
            form.body = "Good day to you."
        self.assertEqual(form.record.lang_code, "es")
