# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID

from .common import WhatsappBillingCommon


@tagged("post_install", "-at_install")
class TestMessageViews(WhatsappBillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._make_invoice()
        cls.invoice.with_user(cls.clerk).wab_send()
        cls.message = cls.invoice.sudo().wab_message_ids
        cls.administrator = cls._make_user(
            "wab_administrator",
            "base.group_system,account.group_account_manager,"
            "whatsapp_billing.group_manager",
        )

    def _as(self, user):
        return self.message.with_user(user)

    def _set_state(self, state, **values):
        self.message.sudo().write({"state": state, **values})

    # === VIEWS === #

    def test_every_view_loads_for_clerk_and_manager(self):
        action = self.env.ref("whatsapp_billing.message_action")
        for user in (self.clerk, self.manager):
            views = [(False, kind) for kind in [*action.view_mode.split(","), "search"]]
            result = self.env[action.res_model].with_user(user).get_views(views)
            self.assertEqual(set(result["views"]), {kind for _id, kind in views})

    def test_manager_opens_events_and_clerk_does_not(self):
        events = self.env["whatsapp.billing.webhook.event"]
        events.with_user(self.manager).get_views([(False, "list"), (False, "form")])
        with self.assertRaises(AccessError):
            events.with_user(self.clerk).search([])

    def test_message_is_called_by_who_and_what(self):
        message = self._as(self.clerk)
        self.assertEqual(
            message.display_name, f"{self.partner.display_name} - {self.invoice.name}"
        )
        message.sudo().partner_id = False
        self.assertIn(message.recipient, message.display_name)

    def test_received_messages_show_what_was_written(self):
        action = self.env.ref("whatsapp_billing.message_action_received")
        kinds = {view.view_mode: view.view_id for view in action.view_ids}
        self.assertIn('name="body"', kinds["list"].arch)
        self.assertEqual({v[1] for v in action.views}, set(action.view_mode.split(",")))

    def test_form_opens_for_clerk(self):
        for state in ("queued", "failed", "unknown", "held", "canceled", "read"):
            self._set_state(state)
            form = Form(self._as(self.clerk), "whatsapp_billing.message_view_form")
            self.assertIn("o_whatsapp_billing_phone", form.preview_html)
            self.assertIn("o_whatsapp_billing_timeline", form.timeline_html)

    def test_filters_find_what_they_say(self):
        ours = {"queued", "sending", "unknown", "held", "failed", "canceled", "sent"}
        wanted = {
            "failed": {"failed"},
            "unknown": {"unknown"},
            "held": {"held"},
            "late": {"sent"},
            "waiting": {"queued", "sending"},
            "not_sent": {"canceled"},
            "today": {*ours, "received"},
            "customers": {*ours, "received"},
            "vendors": set(),
            "mine": {*ours, "received"},
            "my_customers": ours,
            "outgoing": ours,
            "received": {"received"},
            "unanswered": {"received"},
            "no_contact": {"received"},
        }
        self.partner.commercial_partner_id.user_id = self.clerk
        view = self.env.ref("whatsapp_billing.message_view_search")
        domains = {
            node.get("name"): safe_eval(node.get("domain"), {"uid": self.clerk.id})
            for node in view._get_combined_arch().iter("filter")
            if node.get("domain")
        }
        messages = self.env["whatsapp.billing.message"].with_user(self.clerk)
        found = {name: set() for name in domains}
        for state in [*sorted(ours), "received"]:
            values = {"expires_at": "2020-01-01"}
            if state == "received":
                values |= {"direction": "in", "partner_id": False}
            self._set_state(state, **values)
            for name, domain in domains.items():
                if self.message.id in messages.search(domain).ids:
                    found[name].add(state)
        self.assertEqual(found, wanted)

    def test_reports_put_states_in_the_order_of_a_messages_life(self):
        for state in ("canceled", "read", "failed", "sent", "delivered"):
            self.message.sudo().copy({"state": state})
        messages = self.env["whatsapp.billing.message"].with_user(self.clerk)
        wanted = ["queued", "sent", "delivered", "read", "failed", "canceled"]
        domain = [("document_name", "=", self.message.document_name)]
        for groupby in (["state"], ["state", "document_type"]):
            groups = messages._read_group(domain, groupby, ["__count"])
            self.assertEqual([group[0] for group in groups], wanted)
        groups = messages._read_group(domain, ["state"], order="state desc")
        self.assertEqual([group[0] for group in groups], wanted[::-1])
        sets = messages.formatted_read_grouping_sets(
            domain, [[], ["state"], ["document_type"], ["document_type", "state"]]
        )
        self.assertEqual([group["state"] for group in sets[1]], wanted)

    def test_people_group_by_what_they_know(self):
        messages = self.env["whatsapp.billing.message"].with_user(self.clerk)
        shown = {
            field["string"]
            for field in messages.fields_get(attributes=["string", "groupable"]).values()
            if field["groupable"]
        }
        self.assertFalse(shown & {"Proof Token", "Lease Until", "Caller's Key"})
        self.assertLess({"State", "Contact", "Template", "Document Type"}, shown)
        # Who writes a program still finds them.
        with self.debug_mode():
            everything = messages.fields_get(["uuid"], ["groupable"])
        self.assertTrue(everything["uuid"]["groupable"])

    # === BUTTONS === #

    def test_clerk_retries_failed_message(self):
        self._set_state("failed", error_code="131026", attempts=3)
        action = self._as(self.clerk).action_retry()
        self.assertEqual(self.message.state, "queued")
        self.assertEqual(self.message.attempts, 1, "a call was made, patience is anew")
        self.assertEqual(action["params"]["type"], "success")

    def test_clerk_retries_many_and_hears_how_many_went(self):
        self._set_state("failed")
        other = self._make_invoice()
        other.with_user(self.clerk).wab_send()
        both = self.message | other.sudo().wab_message_ids
        action = both.with_user(self.clerk).action_retry()
        self.assertIn("1 of 2", action["params"]["message"])

    def test_clerk_cancels_what_has_not_left(self):
        self._as(self.clerk).action_cancel()
        self.assertEqual(self.message.state, "canceled")

    def test_sent_message_is_not_canceled(self):
        self._set_state("sent")
        action = self._as(self.clerk).action_cancel()
        self.assertEqual(self.message.state, "sent")
        self.assertEqual(action["params"]["type"], "warning")

    def test_who_may_not_send_may_not_retry(self):
        outsider = self._make_user("wab_outsider", "base.group_user")
        with self.assertRaises(AccessError):
            self._as(outsider).action_retry()

    def test_document_opens_from_message(self):
        action = self._as(self.clerk).action_open_document()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("account.move", self.invoice.id)
        )

    def test_why_opens_the_trace_in_words(self):
        action = self._as(self.clerk).action_why()
        view = self.env["ir.ui.view"].browse(action["views"][0][0])
        form = Form(self._as(self.clerk), view)
        self.assertIn("The document is posted", form.trace_html)
        self.assertIn("fa-check", form.trace_html)
        opened = self._as(self.clerk).action_open_message()
        self.assertEqual(opened["res_id"], self.message.id)

    # === WORDS === #

    def test_failed_message_says_what_happened(self):
        self._set_state("failed", error_code="131026", error_detail="raw")
        self.assertTrue(self.message.explanation)
        self.assertNotIn("raw", self.message.explanation)

    def test_failure_without_code_says_its_detail(self):
        self._set_state("failed", error_detail="The document is not posted.")
        self.assertEqual(self.message.explanation, "The document is not posted.")

    def test_unknown_message_says_what_to_do(self):
        self._set_state("unknown")
        self.assertIn("retry or cancel", self.message.explanation)

    def test_canceled_message_says_why(self):
        self._set_state("canceled", reason="opted_out")
        self.assertEqual(self.message.explanation, self.message.reason_detail)

    def test_read_message_says_nothing(self):
        self._set_state("read")
        self.assertFalse(self.message.explanation)

    def test_trace_value_is_in_words(self):
        value = self.message._trace_value
        cases = [
            ({"rule": "document_posted", "value": "posted"}, "Posted"),
            ({"rule": "kind_sent", "value": "invoice"}, "Invoice"),
            ({"rule": "consent_given", "value": "granted"}, "Agreed"),
            ({"rule": "template_approved", "value": "pending"}, "Waiting for approval"),
            ({"rule": "number_valid", "value": "+34****01"}, "+34****01"),
            ({"rule": "whatsapp_enabled", "value": True}, ""),
            ({"rule": "file_fits", "value": None}, ""),
        ]
        for rule, expected in cases:
            self.assertEqual(value(rule), expected, rule)

    def test_preview_shows_markup_and_no_injection(self):
        self._set_state("queued", body="Dear *Ana* <script>alert(1)</script>")
        self.assertIn("<strong>Ana</strong>", self.message.preview_html)
        self.assertNotIn("<script>", self.message.preview_html)

    def test_kanban_columns_follow_a_message_life(self):
        states = self.message._group_expand_states(["failed", "read", "queued"], [])
        self.assertEqual(states, ["queued", "read", "failed"])

    # === CHATTER === #

    def _stored(self, lines, user):
        store = Store().add(lines.with_user(user))
        return {row["id"]: row for row in store.get_result()["mail.message"]}

    def test_chatter_line_carries_ticks(self):
        self._set_state("read")
        line = self.message.mail_message_id
        row = self._stored(line, self.clerk)[line.id]
        self.assertEqual(row["wab_message_id"], self.message.id)
        self.assertEqual(row["wab_state"], "read")
        self.assertEqual(row["wab_text"], "Read")

    def test_other_chatter_lines_carry_none(self):
        line = self.invoice.message_post(body="By e-mail")
        self.assertNotIn("wab_state", self._stored(line, self.clerk)[line.id])

    def test_lines_elsewhere_cost_no_query(self):
        line = self.account.message_post(body="On an account")
        with self.assertQueryCount(0):
            self.assertFalse(line._wab_ours()._wab_ticks())

    def test_customer_text_is_not_folded_away_in_chatter(self):
        self.assertNotIn("blockquote", self.message.mail_message_id.body)
        self.assertIn("Ana Perez", self.message.mail_message_id.body)

    # === SETTINGS === #

    def _settings(self):
        return self.env["res.config.settings"].with_user(self.administrator)

    def test_settings_are_kept(self):
        with Form(self._settings()) as form:
            form.wab_with_email = False
            form.wab_consent_by_contract = True
            form.wab_consent_text = "Section 7 of our terms"
            form.wab_retention_days = 90
            form.wab_evidence_minutes = 25
        form.record.execute()
        self.assertRecordValues(
            self.company,
            [
                {
                    "wab_with_email": False,
                    "wab_consent_by_contract": True,
                    "wab_consent_text": "Section 7 of our terms",
                    "wab_retention_days": 90,
                }
            ],
        )
        parameters = self.env["ir.config_parameter"].sudo()
        self.assertEqual(
            parameters.get_param("whatsapp_billing.evidence_minutes"), "25"
        )

    def test_settings_refuse_no_evidence_time(self):
        with self.assertRaises(ValidationError):
            self._settings().create({"wab_evidence_minutes": 0})

    def test_settings_show_default_templates_and_what_is_missing(self):
        self.templates["credit_note"].sudo().status = "pending"
        settings = self._settings().create({})
        self.assertEqual(
            settings.wab_template_ids, self.account.template_ids.filtered("is_default")
        )
        self.assertEqual(settings.wab_missing_templates, "Credit Note")

    def test_settings_open_the_account_or_a_new_one(self):
        action = self._settings().create({}).action_wab_connect()
        self.assertEqual(action["res_id"], self.account.id)
        self.company.wab_account_id = False
        action = self._settings().create({}).action_wab_connect()
        self.assertEqual(action["res_id"], self.account.id)
        other = self.env["res.company"].create({"name": "Without account"})
        user = self._settings().env.user
        user.sudo().company_ids |= other
        action = self._settings().with_company(other).create({}).action_wab_connect()
        self.assertFalse(action["res_id"])
        self.assertEqual(action["context"]["default_company_id"], other.id)

    def test_engine_is_the_runner_only_while_it_lives(self):
        messages = self.env["whatsapp.billing.message"]
        if messages._is_job_runner_alive():
            self.skipTest("A job runner serves this database.")
        settings = self._settings().create({})
        self.assertEqual(settings.wab_engine, "cron")
        lock = "SELECT pg_advisory_lock(%s)"
        self.env.cr.execute(lock, [PG_ADVISORY_LOCK_ID])
        try:
            settings.invalidate_recordset(["wab_engine"])
            self.assertEqual(settings.wab_engine, "runner")
        finally:
            self.env.cr.execute(lock.replace("lock(", "unlock("), [PG_ADVISORY_LOCK_ID])
        self.assertFalse(messages._is_job_runner_alive())

    # === LIVE TICKS === #

    def test_news_reach_the_author_s_screen_in_their_language(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.clerk.lang = "es_ES"
        self._set_state("read")
        sent = []
        self.patch(
            type(self.env["res.partner"]),
            "_bus_send",
            lambda partner, name, data, **_kwargs: sent.append((partner, name, data)),
        )
        self.message._notify_ticks()
        [(partner, name, data)] = sent
        self.assertEqual(partner, self.clerk.partner_id)
        self.assertEqual(name, "whatsapp_billing.ticks")
        states = self.message.with_context(lang="es_ES")._fields["state"]
        words = dict(states._description_selection(self.env(context={"lang": "es_ES"})))
        self.assertEqual(data[0]["wab_text"], words["read"])
        line = self.message.mail_message_id
        self.assertEqual(data[0]["document"], [line.model, line.res_id])

    def patch_bus(self):
        """Return the list that partners who are sent something are put into."""
        sent = []
        self.patch(
            type(self.env["res.partner"]),
            "_bus_send",
            lambda partner, _name, _data, **_kwargs: sent.append(partner),
        )
        return sent

    def test_news_reach_nobody_who_left_the_company(self):
        sent = self.patch_bus()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        own = self.clerk.company_ids
        for values in (
            {"company_ids": [(6, 0, other.ids)], "company_id": other.id},
            {"company_ids": [(6, 0, own.ids)], "company_id": own.id, "active": False},
        ):
            self.clerk.sudo().write(values)
            self.env.flush_all()
            self.message._notify_ticks()
            self.assertFalse(sent)

    def test_news_reach_no_customer_at_the_portal_who_set_a_rule_off(self):
        self.message.sudo().user_id = self._make_user("wab_portal", "base.group_portal")
        self.env.flush_all()
        bus = self.patch_bus()
        self.message._notify_ticks()
        self.assertFalse(bus)
