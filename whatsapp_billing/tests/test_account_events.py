# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What WhatsApp says about an account, and what becomes of what waits."""

from odoo.tests import HttpCase, tagged

from .common import WABA_UID
from .lifecycle_common import LifecycleCommon

BUSINESS_UID = "900000000000001"


@tagged("post_install", "-at_install")
class TestAccountUpdates(LifecycleCommon):
    """The account taken away (megaapp977/stack#649, sarrazola/openlivery#79)."""

    def _tell(self, waba=WABA_UID, **value):
        self.assertTrue(self.receive(value, field="account_update", waba=waba))
        self.process_inbox()

    def test_an_account_that_was_taken_away_stops_and_asks_a_person(self):
        for event in (
            "PARTNER_REMOVED",
            "PARTNER_APP_UNINSTALLED",
            "ACCOUNT_OFFBOARDED",
            "ACCOUNT_DELETED",
        ):
            for entry in (WABA_UID, BUSINESS_UID):
                with self.subTest(event=event, entry=entry):
                    self.account.sudo().write({"state": "connected"})
                    self.account.activity_ids.unlink()
                    self._tell(
                        entry,
                        event=event,
                        waba_info={
                            "waba_id": WABA_UID,
                            "owner_business_id": BUSINESS_UID,
                            "n": f"{event}{entry}",
                        },
                    )
                    self.assertEqual(self.account.state, "error")
                    self.assertTrue(self.account.state_detail)
                    self.assertTrue(self.account.activity_ids)

    def test_who_looks_after_the_account_reads_it_in_their_language(self):
        """What the system finds out by itself is for people, who may read no English."""
        self.env["res.lang"]._activate_lang("es_ES")
        responsible = self.account._get_responsible()
        responsible.lang = "es_ES"
        self._tell(event="PARTNER_REMOVED", waba_info={"waba_id": WABA_UID})
        self.assertIn("Meta", self.account.state_detail)
        self.assertIn("cuenta", self.account.state_detail)
        activity = self.account.activity_ids
        self.assertEqual(activity.user_id, responsible)
        self.assertEqual(activity.summary, "Cuenta de WhatsApp detenida")
        template = self.templates["invoice"]
        self.assertTrue(
            self.receive(
                {
                    "message_template_name": template.template_name,
                    "message_template_language": template.lang_code,
                    "previous_category": "UTILITY",
                    "new_category": "MARKETING",
                    "message_template_id": template.template_uid,
                },
                field="template_category_update",
            )
        )
        self.process_inbox()
        self.assertEqual(template.category, "marketing")
        note = str(template.activity_ids.note)
        self.assertIn("ha pasado esta plantilla", note)
        # By their names and not by the words of the interface.
        self.assertIn("Marketing", note)
        self.assertNotIn("marketing", note)

    def test_what_waits_is_held_and_does_not_fail_one_by_one(self):
        self.accept_everything()
        waiting = self.send(self.make_invoice_with_pdf())
        self._tell(BUSINESS_UID, event="PARTNER_REMOVED", waba_info={"waba_id": WABA_UID})
        later = self.send(self.make_invoice_with_pdf(), key="2")
        self.run_cron()
        self.assertEqual(waiting.state, "held")
        self.assertIn(later.state, ("held", "canceled"))
        self.assertFalse(self.sent_calls())

    def test_another_account_of_the_same_owner_goes_on(self):
        self._tell(
            WABA_UID, event="PARTNER_REMOVED", waba_info={"waba_id": "200000000000077"}
        )
        self.assertEqual(self.account.state, "connected")

    def test_one_number_that_was_taken_away_stops_alone(self):
        self.phone.sudo().copy({"phone_uid": "300000000000022", "number": "+34910000022"})
        self._tell(event="ACCOUNT_OFFBOARDED", phone_number="34910000001")
        self.assertEqual(self.account.state, "connected")
        self.assertFalse(self.phone.is_usable)
        self.assertTrue(self.account.activity_ids)

    def test_a_ban_that_is_announced_warns_and_names_the_day(self):
        self._tell(
            event="DISABLED_UPDATE",
            ban_info={
                "waba_ban_state": "SCHEDULE_FOR_DISABLE",
                "waba_ban_date": "April 17, 2027",
            },
        )
        self.assertEqual(self.account.state, "connected")
        self.assertIn("April 17, 2027", self.account.activity_ids.note)

    def test_a_violation_is_named(self):
        self._tell(
            event="ACCOUNT_VIOLATION", violation_info={"violation_type": "SCAM"}
        )
        self.assertIn("SCAM", self.account.activity_ids.note)

    def test_a_reinstated_account_is_not_called_connected_for_other_reasons(self):
        self.account.sudo()._set_error("The access token lacks a permission.")
        self._tell(event="DISABLED_UPDATE", ban_info={"waba_ban_state": "REINSTATE"})
        self.assertEqual(self.account.state, "error")

    def test_an_unknown_word_leaves_a_note(self):
        for word in ("SOMETHING_NEW", "AD_ACCOUNT_LINKED", "<b>x</b>" + "y" * 900, ""):
            with self.subTest(word=word[:20]):
                before = len(self.account.message_ids)
                self._tell(event=word, n=word)
                self.assertEqual(self.account.state, "connected")
                self.assertEqual(len(self.account.message_ids), before + 1)
                body = self.account.message_ids.sorted("id")[-1].body
                self.assertNotIn("<b>", str(body))
                self.assertLess(len(body), 500)

    def test_odd_shapes_stop_nothing(self):
        for value in (
            {"event": ["PARTNER_REMOVED"]},
            {"event": "DISABLED_UPDATE", "ban_info": "x"},
            {"event": "ACCOUNT_RESTRICTION", "restriction_info": "x"},
            {"event": "ACCOUNT_RESTRICTION", "restriction_info": ["x", 5]},
            {"event": "ACCOUNT_VIOLATION", "violation_info": [1]},
            {"event": "PARTNER_ADDED", "waba_info": "x"},
        ):
            with self.subTest(value=value):
                self._tell(**value)
                self.assertFalse(self.events.search([("state", "=", "error")]))
        self.assertEqual(self.account.state, "connected")


@tagged("post_install", "-at_install")
class TestWebhookAnswers(HttpCase):
    """One answer for every address that is not ours."""

    def test_unknown_addresses_and_databases_answer_alike(self):
        answers = set()
        for query in ("", f"?db={self.env.cr.dbname}", "?db=template1", "?db=none"):
            for method in ("GET", "POST"):
                url = f"{self.base_url()}/whatsapp_billing/webhook/unknown{query}"
                answer = self.opener.request(method, url, allow_redirects=False)
                answers.add((answer.status_code, answer.text))
        self.assertEqual({status for status, _text in answers}, {403})
        self.assertEqual(len(answers), 1)

    def test_addresses_that_no_text_can_be_answer_alike(self):
        """The database has no NUL in a text."""
        for name in ("unknown", "%00", "unknown%00", "%C3%A9", "%FF", "x" * 5000):
            for method in ("GET", "POST"):
                with self.subTest(name=name[:20], method=method):
                    url = f"{self.base_url()}/whatsapp_billing/webhook/{name}?db=%00"
                    answer = self.opener.request(method, url, allow_redirects=False)
                    self.assertEqual(answer.status_code, 403)


@tagged("post_install", "-at_install")
class TestRequestsEnd(LifecycleCommon):
    """What people are asked to see to ends with its reason, in whatever language."""

    def _asked(self, record):
        record.invalidate_recordset()
        return record.activity_ids.mapped("summary")

    def test_a_stopped_account_that_works_again(self):
        account = self.account.sudo()
        account._warn("Cuenta de WhatsApp detenida", "No", "account_stopped")
        account._set_error("No")
        self.assertEqual(len(self._asked(account)), 1)
        account.write({"state": "connected"})
        self.assertFalse(self._asked(account))

    def test_a_stopped_account_that_is_switched_off(self):
        self.account.sudo()._set_error("No")
        self.account.with_user(self.manager).action_deactivate()
        self.assertFalse(self._asked(self.account))

    def test_a_number_that_works_again_ends_its_own_request_only(self):
        second = self.phone.sudo().copy({"phone_uid": "300000000000022"})
        (self.phone | second)._apply_number_error("133010")
        self.assertEqual(len(self._asked(self.account)), 2)
        second.write({"problem": False, "is_registered": True})
        (summary,) = self._asked(self.account)
        self.assertIn(self.phone.number_label, summary)

    def test_a_template_that_is_approved_again(self):
        template = self.templates["invoice"].sudo()
        template._apply_send_error_code("132015")
        self.assertTrue(self._asked(template))
        template.write({"status": "approved"})
        self.assertFalse(self._asked(template))

    def test_a_template_whose_messages_arrive_again(self):
        template = self.templates["invoice"].sudo()
        self.account._warn_once(template, "Fails", "x", "template_fails")
        self.env["whatsapp.billing.template"]._warn_about_failures()
        self.assertFalse(self._asked(template))

    def test_what_a_person_planned_stays(self):
        self.account.activity_schedule("mail.mail_activity_data_todo", summary="Mine")
        self.account.sudo().write({"state": "connected"})
        self.assertEqual(self._asked(self.account), ["Mine"])
