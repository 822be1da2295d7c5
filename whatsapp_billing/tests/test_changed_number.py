# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A number changes and WhatsApp does not say to which; a STOP goes with its person."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..rules import answers
from .test_inbound import InboundCommon

OLD, NEW, NEWEST = "34600000001", "34600000002", "34600000003"


class ChangeCommon(InboundCommon):
    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.partner = self.partner.with_company(self.company)

    def change(self, sender=OLD, wamid="wamid.S1", minutes_ago=0, **system):
        system = {"type": "user_changed_number", **system}
        self.receive_messages(
            {
                "from": sender,
                "id": wamid,
                "timestamp": str(self.stamp(self.ago(minutes=minutes_ago))),
                "type": "system",
                "system": {"body": "User Ana changed", **system},
            }
        )

    def stop(self, minutes_ago=0, sender=OLD, text="STOP"):
        self.receive_text(
            text,
            sender=sender,
            wamid=f"wamid.{text}{sender}{minutes_ago}",
            timestamp=str(self.stamp(self.ago(minutes=minutes_ago))),
        )

    def receive_hidden(self, wamid="wamid.hidden", **message):
        """Receive what somebody wrote whose number WhatsApp does not tell."""
        message = {
            "from_user_id": "ES.ana1",
            "id": wamid,
            "timestamp": str(self.stamp()),
            **message,
        }
        self.assertTrue(self.receive(self.value(messages=[message])))
        self.process_inbox()
        return self.inbound(wamid)

    def reason(self, partner=None):
        """Return why an invoice to somebody does not go, False if it does."""
        return self.send(self.make_invoice_with_pdf(partner)).reason


@tagged("post_install", "-at_install")
class TestNewNumberUntold(ChangeCommon):
    """Of who hides the number we hear that it is another one, and no more."""

    SHAPES = (
        {"user_id": "ES.abc123"},
        {},
        {"wa_id": ""},
        {"wa_id": "hidden"},
        {"type": "customer_changed_number", "user_id": "ES.abc123"},
        {"type": "user_changed_user_id", "user_id": "ES.abc123"},
    )

    def test_nothing_goes_to_the_old_number(self):
        """Invoices went on to a number that operators may have handed on."""
        for number, shape in enumerate(self.SHAPES):
            with self.subTest(shape), self.env.cr.savepoint() as savepoint:
                waiting = self.send(self.make_invoice_with_pdf())
                self.change(wamid=f"wamid.S{number}", **shape)
                self.assertRecordValues(
                    waiting, [{"state": "canceled", "reason": "number_changed"}]
                )
                self.assertEqual(self.reason(), "number_changed")
                (request,) = self.partner.sudo().activity_ids
                self.assertIn("not which one", request.note)
                self.assertIn("does not tell", self.inbound(f"wamid.S{number}").shown_text)
                savepoint.rollback()

    def test_a_person_types_it_or_keeps_the_old_one(self):
        self.change()
        with self.assertRaisesRegex(UserError, "did not say"):
            self.partner.action_wab_use_new_number()
        self.assertEqual(self.reason(), "number_changed")
        self.partner.phone = "+34600000009"
        self.assertFalse(self.reason())

    def test_kept_goes_on(self):
        self.change()
        self.partner.action_wab_keep_old_number()
        self.assertFalse(self.reason())
        self.assertFalse(self.reason(self._make_customer("Late", "+34600000001")))

    def test_what_another_notice_told_is_not_forgotten(self):
        """Two notices of one change, in any order, some minutes from one another."""
        notices = (
            {"wamid": "wamid.a", "wa_id": NEW},
            {"wamid": "wamid.b", "type": "user_changed_user_id"},
        )
        for order in ((0, 1), (1, 0)):
            with self.subTest(order), self.env.cr.savepoint() as savepoint:
                for minutes_ago, index in zip((5, 0), order, strict=True):
                    self.change(minutes_ago=minutes_ago, **notices[index])
                self.assertEqual(self.partner.wab_new_number, f"+{NEW}")
                self.assertEqual(self.reported_to_late(), f"+{NEW}")
                savepoint.rollback()

    def test_a_later_change_that_was_not_told_is_another_one(self):
        """Whoever has the number by now, the earlier owner's new number is not theirs."""
        self.change(wamid="wamid.a", wa_id=NEW, minutes_ago=300)
        self.change(wamid="wamid.b", type="user_changed_user_id")
        self.assertEqual(self.reported_to_late(), "?")

    def reported_to_late(self):
        """Return what a new contact with the old number is told of it."""
        late = self._make_customer("Late", f"+{OLD}")
        return late.with_company(self.company).wab_new_number

    def test_a_new_contact_with_the_old_number_is_held(self):
        self.change(user_id="ES.abc123")
        self.assertEqual(
            self.reason(self._make_customer("Late", f"+{OLD}")), "number_changed"
        )


@tagged("post_install", "-at_install")
class TestStopGoesAlong(ChangeCommon):
    """A STOP binds the number that its own has changed to, whatever comes first."""

    def setUp(self):
        super().setUp()
        self.bea = self._make_customer("Bea", f"+{NEW}")

    def test_a_stop_that_comes_after_the_change_it_was_written_before(self):
        waiting = self.send(self.make_invoice_with_pdf(self.bea))
        self.change(wa_id=NEW)
        self.stop(minutes_ago=90)
        self.assertRecordValues(
            waiting, [{"state": "canceled", "reason": "opted_out"}]
        )
        self.assertEqual(self.reason(self.bea), "opted_out")

    def test_changed_twice_in_any_order(self):
        zoe = self._make_customer("Zoe", f"+{NEWEST}")
        changes = (
            {"wamid": "wamid.a", "wa_id": NEW, "minutes_ago": 60},
            {"wamid": "wamid.b", "sender": NEW, "wa_id": NEWEST, "minutes_ago": 30},
        )
        for order in ((0, 1, "stop"), (1, 0, "stop"), (1, "stop", 0), ("stop", 1, 0)):
            with self.subTest(order), self.env.cr.savepoint() as savepoint:
                for step in order:
                    if step == "stop":
                        self.stop(minutes_ago=90)
                    else:
                        self.change(**changes[step])
                self.assertEqual(self.reason(zoe), "opted_out")
                savepoint.rollback()

    def test_a_stop_of_who_has_the_old_number_now_is_theirs(self):
        self.change(wa_id=NEW, minutes_ago=60)
        self.stop(minutes_ago=5)
        self.assertFalse(self.reason(self.bea))

    def test_a_start_before_the_change_lifts_it(self):
        self.stop(minutes_ago=90)
        self.stop(minutes_ago=80, text="START")
        self.change(wa_id=NEW, minutes_ago=60)
        self.assertFalse(self.reason(self.bea))

    def test_a_stop_whose_person_was_erased(self):
        self.stop(minutes_ago=90)
        self.messages.with_user(self.manager)._erase_person(self.partner, self.company)
        self.change(wa_id=NEW)
        self.assertEqual(self.reason(self.bea), "opted_out")


@tagged("post_install", "-at_install")
class TestStopWithoutNumber(ChangeCommon):
    """Who hides the number says STOP: the number that we write to is stopped."""

    def setUp(self):
        super().setUp()
        self.sent = self.send(self.make_invoice_with_pdf())
        self.drain()

    def assert_stopped(self, row):
        self.assertEqual(row.partner_id, self.partner)
        self.assertEqual(self.reason(), "opted_out")

    def test_known_by_a_receipt(self):
        """The next invoice went, though receipts had named who writes."""
        self.receive_statuses(
            self.status(self.sent, "delivered", recipient_user_id="ES.ana1")
        )
        row = self.receive_hidden(type="text", text={"body": "STOP"})
        self.assert_stopped(row)

    def test_known_by_what_they_quote(self):
        row = self.receive_hidden(
            type="text",
            text={"body": "STOP"},
            context={"from": "34910000001", "id": self.sent.wamid},
        )
        self.assert_stopped(row)

    def test_known_by_what_they_tap(self):
        payload = answers.payload("paid", self.sent.uuid)
        row = self.receive_hidden(
            type="button", button={"payload": payload, "text": "STOP"}
        )
        self.assert_stopped(row)

    def test_a_failed_receipt_names_nobody(self):
        self.receive_statuses(
            self.status(
                self.sent,
                "failed",
                recipient_user_id="ES.ana1",
                errors=[{"code": 131026, "title": "Undeliverable"}],
            )
        )
        self.assertFalse(self.sent.recipient_uid)

    def test_another_id_is_somebody_else(self):
        self.receive_statuses(
            self.status(self.sent, "delivered", recipient_user_id="ES.zoe9")
        )
        row = self.receive_hidden(
            type="text",
            text={"body": "STOP"},
            context={"from": "34910000001", "id": self.sent.wamid},
        )
        self.assertFalse(row.partner_id)
        self.assertFalse(self.reason())


@tagged("post_install", "-at_install")
class TestPreferences(ChangeCommon):
    """What a customer chose about offers on their phone."""

    def prefer(self, value):
        self.count = getattr(self, "count", 0) + 1
        preference = {
            "wa_id": OLD,
            "category": "marketing_messages",
            "value": value,
            "timestamp": self.stamp(self.ago(minutes=10 - self.count)),
        }
        given = self.value(contacts=[], user_preferences=[preference])
        self.assertTrue(self.receive(given, field="user_preferences"))
        self.process_inbox()
        return self.partner.wab_opt_in_state["marketing"]

    def test_who_signs_up_has_not_said_stop(self):
        """Somebody asked for offers, and it was kept as a withdrawal."""
        self.assertEqual(self.prefer("signup"), "granted")
        self.assertEqual(self.prefer("stop"), "withdrawn")
        self.assertEqual(self.prefer("resume"), "granted")

    def test_a_word_that_nobody_knows_says_neither(self):
        for value in ("muted", "", None, 7):
            self.assertEqual(self.prefer(value), "none")
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")
