# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""One subscriber is one, however a number is written (`rules.numbers.person_key`)."""

from types import SimpleNamespace

from odoo.tests import tagged

from ..models.claim import drain_claim
from ..models.worker.budget import Budget
from ..models.worker.drain import Recording
from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestPersonKey(LifecycleCommon):
    def contact(self, phone, country, **values):
        country_id = self.env.ref(f"base.{country}").id if country else False
        return self._make_customer("Ola", phone, country_id=country_id, **values)

    def test_old_and_new_spellings_are_stored_as_one_subscriber(self):
        """GH twcclegg/libphonenumber-csharp#272 and google/libphonenumber#2693."""
        for country, expected, *typed in (
            (
                "bj",
                "+2290197123456",
                "97 12 34 56",
                "+22997123456",
                "+229 01 97 123456",
            ),
            ("mx", "+525512345678", "044 55 1234 5678", "+52 1 55 1234 5678"),
            ("ci", "+2250707123456", "07 12 34 56", "+225 07 07 12 34 56"),
        ):
            partners = self.env["res.partner"].union(
                *(self.contact(number, country) for number in typed)
            )
            self.assertEqual(set(partners.mapped("wab_recipient")), {expected})
            self.assertEqual(len(set(partners.mapped("wab_person_key"))), 1)

    def test_national_number_is_read_with_the_contacts_country_only(self):
        """Never with the company's: Spain here."""
        self.company.partner_id.country_id = self.env.ref("base.es")
        partner = self.contact("600 000 001", "")
        self.assertFalse(partner.wab_recipient)
        self.assertFalse(partner.wab_person_key)
        message = self.send(self._make_invoice(partner))
        self.assertEqual(message.reason, "invalid_number")
        self.assertFalse(message.person_key)

    def test_name_behind_a_number_reaches_nobody_else(self):
        """GH google/libphonenumber#1302: letters became digits of a stranger."""
        partner = self.contact("0664 1234567 Eva", "at")
        self.assertEqual(partner.wab_recipient, "+436641234567")
        self.accept_everything()
        self.send(self.make_invoice_with_pdf(partner))
        self.drain()
        self.assertEqual(self.sent_calls()[0].json["to"], "+436641234567")

    def test_benin_is_sent_with_its_zero_and_found_by_the_old_number(self):
        partner = self.contact("+229 97 12 34 56", "bj")
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf(partner))
        self.drain()
        self.assertEqual(self.sent_calls()[0].json["to"], "+2290197123456")
        self.receive_text("gracias", sender="22997123456")
        answer = self.messages.search([("wamid", "=", "wamid.in1")])
        self.assertEqual(answer.partner_id, partner)
        self.assertEqual(answer.person_key, message.person_key)

    def test_who_writes_first_is_found_by_another_spelling(self):
        """A sibling: nothing was sent to them that could tell who they are."""
        partner = self.contact("+54 9 11 2345 6789", "ar")
        self.receive_text("hola", sender="541123456789", wamid="wamid.first")
        message = self.messages.search([("wamid", "=", "wamid.first")])
        self.assertEqual(message.partner_id, partner)

    def test_stop_from_another_spelling_withdraws_what_waits(self):
        partner = self.contact("+52 55 1234 5678", "mx")
        message = self.send(self.make_invoice_with_pdf(partner))
        self.assertEqual(message.state, "queued")
        self.receive_text("BAJA", sender="5215512345678")
        self.assertEqual((message.state, message.reason), ("canceled", "opted_out"))
        self.assertEqual(self.send(self._make_invoice(partner)).reason, "opted_out")

    def test_two_spellings_are_one_recipient_at_a_time(self):
        """The pace between messages to one person counts for the person."""
        self.accept_everything()
        for phone in ("+54 9 11 2345 6789", "+54 11 2345 6789"):
            self.send(self.make_invoice_with_pdf(self.contact(phone, "ar")))
        waiting = self.messages.search([("state", "=", "queued")])
        self.assertEqual(len(set(waiting.mapped("recipient"))), 2)
        self.assertEqual(len(set(waiting.mapped("person_key"))), 1)
        self.env.flush_all()
        drain = self.messages._make_drain(self.phone, Budget(5))
        nothing = Recording()
        rows = drain_claim._mark_sending(drain, 10, nothing)
        self.assertEqual(len(rows), 1)
        drain.in_flight = {1: SimpleNamespace(person_key=rows[0]["person_key"])}
        self.assertFalse(drain_claim._mark_sending(drain, 10, nothing))

    def test_changed_number_stops_what_waits_and_a_new_spelling_does_not(self):
        self.accept_everything()
        partner = self.contact("+229 97 12 34 56", "bj")
        message = self.send(self.make_invoice_with_pdf(partner))
        partner.phone = "+229 01 97 12 34 56"
        self.drain()
        self.assertEqual(message.state, "sent")
        # A sibling: both spellings of Argentina's mobiles are in use today.
        other = self.contact("+54 9 11 2345 6789", "ar")
        message = self.send(self.make_invoice_with_pdf(other))
        other.phone = "+54 11 2345 6789"
        self.drain()
        self.assertEqual(message.state, "sent")
        for phone in ("+229 01 97 12 34 57", False):
            partner.phone = "+229 01 97 12 34 56"
            message = self.send(self.make_invoice_with_pdf(partner))
            partner.phone = phone
            self.drain()
            self.assertEqual(message.state, "canceled")
