# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who gets a document that is addressed to a contact of a company."""

from odoo.fields import Command
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon

ACME = "+34600000010"


@tagged("post_install", "-at_install")
class TestDocumentRecipients(LifecycleCommon):
    """Reported as odoo/odoo#225097 and #220253: the company's setting was ignored."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls._make_customer("Acme SL", ACME, is_company=True)
        cls.child = cls.add_contact("Invoice address", type="invoice")

    @classmethod
    def add_contact(cls, name, **values):
        return cls.env["res.partner"].create(
            {"name": name, "parent_id": cls.acme.id, **values}
        )

    def add_person(self, name="Marta", number="+34600000012", **values):
        return self.add_contact(
            name,
            phone=number,
            wab_enabled=True,
            wab_is_default_recipient=True,
            **values,
        )

    def make_payment(self, partner):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": partner.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        return payment

    def recipients(self, partner):
        """Return who gets an invoice for this contact, whichever way it is asked."""
        move = self._make_invoice(partner).with_user(self.clerk)
        payment = self.make_payment(partner).with_user(self.clerk)
        found = move._wab_get_recipients()[move.id]
        wizard = self.env["account.move.send.wizard"].with_user(self.clerk)
        dialog = wizard.create({"move_id": move.id})
        compose = self.env["whatsapp.billing.compose"].with_user(self.clerk)
        action = self.env["ir.actions.server"].new({"wab_partner_path": False})
        remind = move.wab_remind()
        everywhere = {
            "dialog": dialog.wab_partner_ids,
            "wab_send": self.partners_of(move.wab_send()),
            "wab_remind": self.partners_of(remind),
            "receipt": self.partners_of(payment.wab_send_receipt()),
            "composer": compose.browse(compose._open(move)["res_id"]).partner_ids,
            "rule": action._wab_get_recipients(move)[move.id],
            "rule for receipts": action._wab_get_recipients(payment)[payment.id],
        }
        for name, partners in everywhere.items():
            self.assertEqual(partners, found, name)
        self.assertEqual(move.wab_enabled, any(found.mapped("wab_enabled")))
        return found

    def partners_of(self, results):
        return self.env["res.partner"].browse([r["partner_id"] for r in results])

    def test_contact_without_number_or_tick_is_the_company(self):
        self.assertEqual(self.recipients(self.child), self.acme)

    def test_contact_with_a_number_of_its_own_gets_it(self):
        self.child.write({"phone": "+34600000011", "wab_enabled": True})
        self.assertEqual(self.recipients(self.child), self.child)

    def test_contact_with_a_tick_gets_it_before_others(self):
        self.add_person()
        person = self.add_person("Leo", "+34600000013")
        self.assertEqual(self.recipients(person), person)

    def test_ticked_persons_get_it_before_the_company(self):
        persons = self.add_person() | self.add_person("Leo", "+34600000013")
        self.assertEqual(self.recipients(self.child), persons)
        self.assertEqual(self.recipients(self.acme), persons)

    def test_recipients_chosen_on_the_payment_win(self):
        payment = self.make_payment(self.acme)
        payment.wab_recipient_ids = self.partner
        results = payment.with_user(self.clerk).wab_send_receipt()
        self.assertEqual(self.partners_of(results), self.partner)

    def test_automatic_receipt_goes_to_the_same(self):
        self.company.wab_auto_receipt = True
        payment = self.make_payment(self.child)
        message = self.messages.search(
            [("res_model", "=", "account.payment"), ("res_id", "=", payment.id)]
        )
        self.assertEqual(message.partner_id, self.acme)
        self.assertEqual(message.recipient, ACME)

    def test_send_proposes_the_company_and_goes_there(self):
        self.accept_everything()
        move = self.make_invoice_with_pdf(self.child)
        wizard = (
            self.env["account.move.send.wizard"]
            .with_user(self.clerk)
            .create({"move_id": move.id})
        )
        self.assertIn("whatsapp_billing", wizard.sending_methods)
        self.assertTrue(wizard.wab_look["going"])
        self.send(move)
        self.drain()
        self.assertEqual([c.json["to"] for c in self.sent_calls()], [ACME])

    def test_reason_names_the_company_whose_switch_is_off(self):
        self.acme.wab_enabled = False
        move = self._make_invoice(self.child)
        self.assertFalse(move.wab_enabled)
        (result,) = move.with_user(self.clerk).wab_send()
        self.assertEqual(result["partner_id"], self.acme.id)
        self.assertIn("Acme SL", result["detail"])
        self.assertNotIn("Invoice address", result["detail"])

    def test_consent_is_the_recipients(self):
        self.acme.with_user(self.clerk).wab_opt_out("billing", "By phone")
        (result,) = self._make_invoice(self.child).with_user(self.clerk).wab_send()
        self.assertEqual(result["reason"], "opted_out")

    def test_switch_on_the_document_against_the_company(self):
        move = self._make_invoice(self.child)
        move.wab_enabled = False
        self.assertEqual(move.wab_channel, "off")
        move.wab_enabled = True
        self.assertFalse(move.wab_channel)

    def test_as_many_queries_for_many_invoices(self):
        moves = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": self.add_contact(f"Address {n}").id,
                    "invoice_line_ids": [
                        Command.create({"name": "x", "price_unit": 1, "tax_ids": []})
                    ],
                }
                for n in range(12)
            ]
        )
        counts = []
        moves._wab_get_recipients()
        for some in (moves[:2], moves):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = some._wab_get_recipients()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(found.values()), {self.acme})
        self.assertEqual(counts[0], counts[1])
