# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from unittest.mock import patch

from freezegun import freeze_time
from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionScreens(CollectionCommon):
    """What the screens of plans and cases say and do."""

    def test_plan_says_what_is_missing(self):
        plan = self._make_plan(days=())
        self.assertIn("Add a step", plan.problem)
        self.assertFalse(self.plan.problem)
        self.templates["payment_reminder"].is_default = False
        self.plan.invalidate_recordset(["problem"])
        self.assertIn("No template for payment reminders", self.plan.problem)
        self.plan.step_ids[0].template_id = self.many
        self.many.status = "paused"
        self.plan.invalidate_recordset(["problem"])
        self.assertIn("cannot be sent: Paused", self.plan.problem)

    def test_a_plan_without_account_leads_a_manager_to_the_accounts(self):
        self.assertFalse(self.plan.lacks_account)
        self.account.state = "draft"
        self.plan.invalidate_recordset(["problem", "lacks_account"])
        self.assertEqual(self.plan.problem, "Connect a WhatsApp account first.")
        self.assertTrue(self.plan.lacks_account)
        self.assertFalse(self._make_plan(days=()).lacks_account, "a step comes first")
        action = self.env.ref("whatsapp_billing.account_action")
        for user, count in ((self.manager, 1), (self.clerk, 0)):
            arch = etree.fromstring(self.plan.with_user(user).get_view()["arch"])
            buttons = arch.xpath(f"//button[@name='{action.id}']")
            self.assertEqual(len(buttons), count)

    def test_step_shows_its_text(self):
        first = self.plan.step_ids[0]
        self.assertIn("Hello Ana, document INV/1 over €1", first.text)
        first.channel = "activity"
        self.assertFalse(first.text)

    def test_step_shows_its_text_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.env["res.lang"]._activate_lang("fr_FR")
        first = self.plan.step_ids[0].with_user(self.clerk)
        # Before the English one wherever the language is not asked for.
        spanish = self._make_template(
            self.account,
            "payment_reminder",
            name="A first one",
            template_name="aa_first",
            lang_code="es",
            body="Hola {{1}}",
        )
        self.assertTrue(spanish.is_default)
        self.assertIn("Hello Ana", first.with_context(lang="en_US").text)
        self.assertIn("Hola Ana", first.with_context(lang="es_ES").text)
        french = first.with_context(lang="fr_FR")
        self.company.partner_id.lang = "es_ES"
        self.assertIn("Hola Ana", french.text)
        self.company.partner_id.lang = "fr_FR"
        self.env.invalidate_all()
        self.assertTrue(french.text)

    def test_people_are_counted_when_somebody_asks(self):
        self.make_due(1)
        plan = self.plan.with_user(self.manager)
        first, second = plan.step_ids
        with patch.object(type(plan), "_preview") as preview:
            # Opening the form must not take as long as a run.
            self.assertFalse(first.reach_today)
            preview.assert_not_called()
        plan.action_count_reached()
        self.assertIn("1 person would be reached today", first.reach_today)
        self.assertIn("0 people would be reached today", second.reach_today)
        self.assertIn("credits", first.reach_today)
        self.assertNotIn("credits", first.with_user(self.clerk).reach_today)
        self.env["res.lang"]._activate_lang("es_ES")
        spanish = first.with_context(lang="es_ES")
        self.assertIn("Hoy se escribiría a 1 persona", spanish.reach_today)
        with freeze_time(self.day(2)):
            self.env.invalidate_all()
            self.assertFalse(first.reach_today)
        self.env.invalidate_all()
        plan.with_user(self.clerk).action_count_reached()
        second.days = 9
        self.assertFalse(first.reach_today)
        plan.with_user(self.clerk).action_count_reached()
        plan.tolerance = 500
        self.assertFalse(first.reach_today)

    def test_step_is_called_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("es_ES")
        first, second = self.plan.step_ids
        self.assertEqual(first.display_name, "1 day after")
        spanish = first.with_context(lang="es_ES")
        self.assertEqual(spanish.display_name, "1 día después")
        second.custom_name = "Last call"
        self.assertEqual(second.with_context(lang="es_ES").name, "Last call")
        second.custom_name = False
        self.assertIn("days after", second.name)

    def test_count_of_people_opens_them(self):
        self.make_due(1)
        first, second = self.plan.with_user(self.manager).step_ids
        for step, count in ((first, 1), (second, 0)):
            action = step.action_open_reached()
            rows = self.env[action["res_model"]].sudo().search(action["domain"])
            self.assertEqual(len(rows.filtered(lambda r: r.result == "goes")), count)
            self.assertEqual(action["views"][0][1], "list")

    def test_preview_lists_who_goes_and_who_is_left_out(self):
        self.make_due(1)
        off = self._make_customer("Otto Off", "+34600000055", wab_enabled=False)
        self.make_due(1, partner=off)
        action = self.plan.with_user(self.manager).action_preview()
        rows = self.env[action["res_model"]].sudo().search(action["domain"])
        self.assertEqual(action["views"][0][1], "list")
        self.assertIn("messages: 2, customers: 1", action["name"])
        self.assertIn("left out: 2", action["name"])
        mine = rows.filtered(lambda r: r.debtor_id == self.partner)
        self.assertEqual(mine.mapped("result"), ["goes", "goes"])
        self.assertIn("100", mine[0].amount_text)
        self.assertIn("o_whatsapp_billing_phone", mine[0].preview_html)
        his = rows.filtered(lambda r: r.debtor_id == off)
        self.assertEqual(set(his.mapped("result")), {"left_out"})
        self.assertIn("switched off", his[0].detail)
        self.assertFalse(self.reminders())

    def test_preview_of_nothing_opens_the_list(self):
        action = self.plan.with_user(self.manager).action_preview()
        self.assertEqual(action["views"][0][1], "list")
        self.assertEqual(action["display_name"], "Next 30 Days: Test plan")
        self.assertEqual(action["name"], action["display_name"])

    def test_switching_on_proposes_the_next_stage(self):
        self.make_due(1)
        self.plan.stage = "off"
        for stage in ("dry_run", "own_numbers", "share", "on"):
            title = "Switch On" if self.plan.stage == "off" else "Change Stage"
            action = self.plan.with_user(self.manager).action_switch()
            self.assertEqual(action["name"], title)
            wizards = self.env[action["res_model"]].with_user(self.manager)
            wizard = wizards.browse(action["res_id"])
            self.assertEqual(wizard.stage, stage)
            wizard.write({"share": 100})
            people = "0 customers" if stage == "own_numbers" else "1 customer "
            self.assertIn(f"to {people}", wizard.headline)
            if stage == "dry_run":
                self.assertFalse(wizard.left_out, "nobody: no line, and no lonely 0")
            wizard.action_switch_on()
            self.assertEqual(self.plan.stage, stage)
        self.plan.with_user(self.manager).action_switch_off()
        self.assertEqual(self.plan.stage, "off")

    def test_clerk_may_not_switch(self):
        with self.assertRaises(AccessError):
            self.plan.with_user(self.clerk).action_switch()

    def test_run_now_tells_what_came_of_it(self):
        self.make_due(1)
        plan = self.plan.with_user(self.manager)
        self.assertIn("1 message queued", plan.action_run_now()["params"]["message"])
        self.assertIn("0 messages", plan.action_run_now()["params"]["message"])

    def test_a_dry_run_tells_whom_it_would_have_been_about(self):
        self.plan.stage = "dry_run"
        plan = self.plan.with_user(self.manager)
        self.assertFalse(plan.last_run_text)
        invoice = self.make_due(1)
        message = plan.action_run_now()["params"]["message"]
        self.assertEqual(message, "1 customer would have been reminded")
        self.assertEqual(plan.last_run_text, "1 customer would have been reminded")
        self.env["res.lang"]._activate_lang("es_ES")
        spanish = plan.with_context(lang="es_ES")
        self.assertEqual(spanish.last_run_text, "Se habría recordado a 1 cliente")
        self.make_due(1, self._make_customer("Bea", "+34600000066"))
        unreachable = self.make_due(1, self._make_customer("Nobody", False))
        self.case(invoice).next_check_date = self.today
        plan.action_run_now()
        self.assertEqual(
            plan.last_run_text,
            "2 customers would have been reminded, 1 left out (no number)",
        )
        self.assertEqual(self.case(unreachable).reason, "no_number")
        self.assertFalse(self.reminders())
        for view in ("form", "list"):
            arch = etree.fromstring(plan.get_view(view_type=view)["arch"])
            (field,) = arch.xpath("//field[@name='last_run_text']")
            self.assertNotIn("stage", field.get("invisible", ""))
        self.plan.stage = "on"
        self.assertIn("0 messages", plan.last_run_text)

    def test_a_dry_run_leaves_out_whom_a_real_run_would(self):
        people = {
            "no_number": {"phone": False},
            "not_enabled": {"wab_enabled": False},
            "invalid_number": {"phone": "12"},
        }
        cases = {
            reason: self.make_due(1, self._make_customer(reason, "+34600000066", **v))
            if "phone" not in v
            else self.make_due(1, self._make_customer(reason, v["phone"]))
            for reason, v in people.items()
        }
        self.plan.stage = "dry_run"
        self.run_plan()
        dry = {reason: self.case(move).reason for reason, move in cases.items()}
        self.plan.stage = "on"
        self.run_plan()
        real = {reason: self.case(move).reason for reason, move in cases.items()}
        self.assertEqual(dry, real)
        self.assertEqual(dry["no_number"], "no_number")

    def test_a_share_says_how_many_it_leaves_out(self):
        self.plan.write({"stage": "share", "share": 0})
        self.make_due(1)
        self.make_due(2)
        plan = self.plan.with_user(self.manager)
        message = plan.action_run_now()["params"]["message"]
        self.assertEqual(message, "0 messages queued, 1 left out (outside the share)")

    def test_a_plan_counts_open_invoices_to_customers_only(self):
        self.make_due(1)
        self.pay(self.make_due(1))
        self._make_invoice(move_type="in_invoice")
        plan = self.plan.with_user(self.manager)
        self.assertEqual(plan.fitting_text, "Fits 1 open invoice to a customer.")
        plan.domain = "[('amount_total', '>', 5000)]"
        self.assertEqual(plan.fitting_text, "Fits 0 open invoices to customers.")

    def test_what_comes_next_is_known_from_posting_on(self):
        case = self.case(self.make_due(-2))
        self.assertEqual(case.step_id.days, 1)
        self.assertEqual(case.next_date, self.day(3))

    def test_a_new_plan_is_quiet_at_night(self):
        plan = self.env["whatsapp.billing.collection.plan"].sudo().create({"name": "P"})
        self.assertEqual((plan.quiet_start, plan.quiet_end), (20.0, 8.0))

    def test_case_says_why_in_words(self):
        invoice = self.make_due(1)
        self.plan.step_ids[0].unlink()
        self.run_plan()
        # Days are the reader's: late in the evening Greenwich is a day behind Madrid.
        case = self.case(invoice).with_user(self.clerk).with_context(tz="Europe/Madrid")
        self.assertIn("not due yet", case.explanation)
        self.assertIn("There is a due date", case.why_html)
        self.assertNotIn("not_due", case.why_html)
        self.assertEqual(case.days_overdue, 1)
        found = case.search([("days_overdue", ">", 0)])
        self.assertEqual(found, case)
        self.assertFalse(case.search([("days_overdue", ">", 1)]))

    def test_why_says_days_as_people_do(self):
        cases = self.env["whatsapp.billing.collection.case"]
        self.env["res.lang"]._activate_lang("es_ES")
        for lang, days, day in (
            ("en_US", "Mon, Fri", "12/01/2026"),
            ("es_ES", "lun, vie", "01/12/2026"),
        ):
            case = cases.with_user(self.clerk).with_context(lang=lang)
            self.assertEqual(case._say_value("working_calendar_known", [0, 4]), days)
            self.assertEqual(case._say_value("working_day", "2026-12-01"), day)

    def test_why_says_values_of_a_message_as_people_do(self):
        case = self.env["whatsapp.billing.collection.case"].with_user(self.clerk)
        for rule, value, word in (
            ("document_not_cancelled", "posted", "Posted"),
            ("document_unpaid", "not_paid", "Not Paid"),
            ("document_type_fits", "payment_reminder", "Payment Reminder"),
            ("kind_sent", "payment_reminder", "Payment Reminder"),
            ("consent_given", "granted", "Agreed"),
        ):
            self.assertEqual(case._say_value(rule, value), word, rule)

    def test_why_says_what_holds_it_since_the_last_run(self):
        self.env["res.lang"]._activate_lang("es_ES")
        case = self.case(self.make_due(1)).with_user(self.clerk)
        self.run_plan()
        self.assertTrue(all(rule["passed"] for rule in case._get_rules()))
        date = self.day(3)
        for action, arguments, label, value in (
            ("promise", [date], "No promise is running", f"until {date:%m/%d/%Y}"),
            ("pause", [], "Reminders are not paused", f"Paused by {self.clerk.name}"),
            (
                "dispute",
                ["It came broken"],
                "The customer does not dispute the document",
                "It came broken",
            ),
            ("hand_over", [], "No person has taken over", ""),
        ):
            getattr(case, f"action_{action}")(*arguments)
            failed = [rule for rule in case._get_rules() if not rule["passed"]]
            self.assertEqual(
                failed, [{"label": label, "value": value, "passed": False}]
            )
            labels = [rule["label"] for rule in case._get_rules()]
            self.assertEqual(labels.count(label), 1)
            self.assertIn(value, case.why_html)
        spanish = case.with_context(lang="es_ES")
        self.assertIn("Ninguna persona se ha hecho cargo", spanish.why_html)
        case.action_resume()
        self.assertTrue(all(rule["passed"] for rule in case._get_rules()))

    def test_a_pause_says_until_when_why_and_by_whom(self):
        case = self.case(self.make_due(1)).with_user(self.clerk)
        action = case.action_ask_pause()
        wizard = self.env[action["res_model"]].with_user(self.clerk)
        wizard = wizard.with_context(**action["context"]).create(
            {"pause_until": self.day(14), "pause_note": "Waits for our credit note"}
        )
        wizard.action_record()
        self.assertEqual((case.state, case.resume_on), ("paused", self.day(14)))
        self.assertFalse(case.next_date)
        for part in (self.clerk.name, "Waits for our credit note", "until"):
            self.assertIn(part, case.explanation)
        self.run_plan(14)
        self.assertEqual(case.state, "active")
        self.assertFalse(case.person_id)
        with self.assertRaises(UserError):
            case.action_pause(self.day(-2))

    def test_who_has_taken_over_is_named(self):
        case = self.case(self.make_due(1)).with_user(self.clerk)
        case.action_hand_over(self.manager.id)
        self.assertEqual(case.explanation, f"With {self.manager.name}")
        self.assertFalse(case.next_date)

    def test_why_says_once_what_the_last_run_found_too(self):
        case = self.case(self.make_due(1)).with_user(self.clerk)
        case.action_promise(self.day(3))
        self.run_plan()
        self.cases.browse(case.id).next_check_date = False
        self.run_plan(1)
        failed = [rule for rule in case._get_rules() if not rule["passed"]]
        self.assertEqual([rule["label"] for rule in failed], ["No promise is running"])
        self.assertNotIn("-", failed[0]["value"])
        say = case._say_value
        self.assertEqual(say("collection_running", "2026-10-31"), "10/31/2026")
        self.assertEqual(say("collection_running", "paused"), "Waiting")

    def test_no_two_fields_are_called_the_same(self):
        for name in self.registry:
            if name.startswith("whatsapp.billing.collection."):
                labels = [field.string for field in self.env[name]._fields.values()]
                self.assertEqual(len(labels), len(set(labels)), name)

    def test_answers_of_the_customer(self):
        invoice = self.make_due(1)
        case = self.case(invoice).with_user(self.clerk)
        for ask, values, state in (
            ("action_ask_promise", {"promise_date": self.day(3)}, "promised"),
            ("action_ask_dispute", {"reason": "Broken"}, "disputed"),
            ("action_ask_hand_over", {}, "escalated"),
        ):
            action = getattr(case, ask)()
            wizard = self.env[action["res_model"]].with_user(self.clerk)
            wizard.with_context(**action["context"]).create(values).action_record()
            self.assertEqual(case.state, state)
            self.assertTrue(case.explanation)
        self.assertTrue(invoice.activity_ids)
        case.action_resume()
        self.assertEqual(case.state, "active")
        self.pay(invoice)
        self.assertEqual(case.state, "done")
        with self.assertRaises(UserError):
            case.action_ask_promise()

    def test_who_may_not_edit_the_invoice_may_not_hand_over(self):
        reader = self._make_user(
            "wab_reader", "account.group_account_readonly,whatsapp_billing.group_user"
        )
        case = self.case(self.make_due(1)).with_user(reader)
        self.assertFalse(case.may_act)
        with self.assertRaises(AccessError):
            case.action_hand_over()

    def test_only_colleagues_take_over(self):
        case = self.case(self.make_due(1)).with_user(self.clerk)
        outsider = self._make_user("wab_portal", "base.group_portal")
        for user_id in (outsider.id, outsider.id + 10**6):
            with self.assertRaises(UserError):
                case.action_hand_over(user_id)
        self.assertEqual(case.state, "active")
        case.action_hand_over(self.manager.id)
        self.assertEqual(case.move_id.activity_ids.user_id, self.manager)

    def test_reminder_by_hand_for_many_with_a_result(self):
        due = self.make_due(5)
        paid = self.make_due(5)
        self.pay(paid)
        bill = self._make_invoice(self.partner, move_type="in_invoice")
        moves = (due | paid | bill).with_user(self.clerk)
        action = moves.action_wab_remind()
        wizard = self.env[action["res_model"]].with_user(self.clerk)
        wizard = wizard.browse(action["res_id"])
        self.assertEqual(
            wizard.allowed_template_ids, self.templates["payment_reminder"] | self.many
        )
        self.assertEqual(wizard.headline, "1 message will be sent.")
        result = wizard.action_send()
        messages = self.messages.search(result["params"]["next"]["domain"])
        self.assertEqual(
            {m.res_id: m.reason for m in messages},
            {due.id: False, paid.id: "already_paid"},
        )
        self.assertEqual(len(messages.filtered("reason")), 1)
        self.assertTrue(self.followups.search([("debtor_id", "=", self.partner.id)]))

    def test_the_dialog_counts_and_shows_one_message_for_several(self):
        first, second = self.make_due(5), self.make_due(6)
        moves = (first | second).with_user(self.clerk)
        action = moves.action_wab_remind()
        wizard = self.env[action["res_model"]].with_user(self.clerk)
        wizard = wizard.browse(action["res_id"])
        self.assertEqual(wizard.headline, "1 message will be sent.")
        for invoice in moves:
            self.assertIn(invoice.name, wizard.preview_html)
        wizard.action_send()
        self.assertEqual(len(self.reminders()), 1)

    def test_the_dialog_shows_each_person_what_they_get(self):
        luis = self.env["res.partner"].create(
            {"name": "Luis", "phone": "+34 600 10 00 77", "wab_enabled": True}
        )
        mine, his = self.make_due(5), self.make_due(6)
        mine.wab_recipient_ids = self.partner
        his.wab_recipient_ids = luis
        action = (mine | his).with_user(self.clerk).action_wab_remind()
        wizard = self.env[action["res_model"]].with_user(self.clerk)
        wizard = wizard.browse(action["res_id"])
        self.assertEqual(wizard.headline, "2 messages will be sent.")
        shown = [i.name for i in (mine, his) if i.name in wizard.preview_html]
        self.assertEqual(len(shown), 1)

    def test_only_customers_are_reminded(self):
        bill = self._make_invoice(self.partner, move_type="in_invoice")
        with self.assertRaises(UserError):
            bill.with_user(self.clerk).action_wab_remind()

    def test_plan_of_the_customer_in_the_forms(self):
        other = self._make_plan(name="Other")
        with Form(self.partner) as form:
            form.wab_plan_choice = "plan"
            form.wab_plan_id = other
        invoice = self.make_due(1)
        self.assertEqual(self.case(invoice).plan_id, other)
        with Form(invoice.with_user(self.clerk)) as form:
            form.wab_plan_choice = "none"
        self.assertFalse(self.case(invoice))

    def test_settings_of_the_company(self):
        self.env.user.group_ids |= self.env.ref("whatsapp_billing.group_manager")
        settings = self.env["res.config.settings"].create({})
        settings.write({"wab_plan_id": self.plan.id, "wab_auto_receipt": True})
        settings.write({"wab_quiet_start": 21.0, "wab_quiet_end": 8.0})
        settings.execute()
        self.assertEqual(self.env.company.wab_plan_id, self.plan)
        self.assertEqual((self.plan.quiet_start, self.plan.quiet_end), (21.0, 8.0))
        self.assertTrue(self.env.company.wab_auto_receipt)

    def test_days_of_a_step_as_people_say_them(self):
        plan = self._make_plan(days=(3,)).with_user(self.manager)
        form = Form(plan)
        with form.step_ids.new() as step:
            self.assertEqual((step.day_count, step.when), (1, "after"))
            step.when = "before"
            step.day_count = 5
        with form.step_ids.new() as step:
            step.when = "on"
        with form.step_ids.new() as step:
            step.when = "on"
            step.when = "after"
            self.assertEqual(step.day_count, 1)
            step.day_count = -8
        form.save()
        self.assertEqual(plan.step_ids.mapped("days"), [-5, 0, 3, 8])
        self.assertEqual(
            plan.step_ids.mapped("when"), ["before", "on", "after", "after"]
        )
        plan.step_ids[0].write({"when": "after", "day_count": 6})
        self.assertEqual(plan.step_ids[0].days, 6)

    def test_case_shows_what_the_customer_wrote_last(self):
        agent = self._make_user(
            "wab_talks", "account.group_account_invoice,whatsapp_billing.group_agent"
        )
        case = self.make_due(5).wab_case_ids
        self.assertFalse(case.with_user(agent).last_answer)
        self.receive_text("First", wamid="wamid.a1")
        self.receive_text("I pay on Friday", wamid="wamid.a2")
        case.invalidate_recordset()
        self.assertEqual(case.with_user(agent).last_answer, "I pay on Friday")
        action = case.with_user(agent).action_open_answer()
        self.assertEqual(action["res_id"], case.with_user(agent).last_answer_id.id)
        # Who does not talk with customers reads no words of theirs here either.
        self.assertFalse(case.with_user(self.clerk).last_answer)

    def test_case_shows_the_answer_of_another_person_of_the_company(self):
        acme = self._make_customer("Acme SL", "+34600000010", is_company=True)
        self._make_customer("Marta", "+34600000012", parent_id=acme.id)
        agent = self._make_user(
            "wab_talks", "account.group_account_invoice,whatsapp_billing.group_agent"
        )
        case = self.make_due(5, acme).wab_case_ids.with_user(agent)
        self.receive_text("Paid!", sender="34600000012", wamid="wamid.a3")
        case.invalidate_recordset()
        self.assertEqual(case.last_answer, "Paid!")
