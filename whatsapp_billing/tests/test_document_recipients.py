# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who gets a document that is addressed to a contact of a company."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .collection_common import CollectionCommon
from .lifecycle_common import LifecycleCommon
from .rights_common import RightsCommon

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
        self.assertTrue(wizard.wab_preview_data["going"])
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
        self.assertEqual(move.wab_send_override, "off")
        move.wab_enabled = True
        self.assertFalse(move.wab_send_override)

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
        # The first time in a company Odoo reads its access rules, too.
        for some in (moves[:2], moves[:2], moves):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = some._wab_get_recipients()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(found.values()), {self.acme})
        self.assertEqual(counts[1], counts[2])

    def test_one_phone_gets_a_document_once(self):
        self.add_person()
        self.add_person("Marta's copy", "0034 600 000 012")
        move = self._make_invoice(self.acme).with_user(self.clerk)
        results = move.wab_send(key="once")
        self.assertEqual([r["state"] for r in results], ["queued"])
        self.assertEqual(move.wab_send(key="once"), results)

    def test_one_phone_in_two_named_contacts(self):
        partners = self.add_person() | self.add_person("Leo", "+34 600 00 00 12")
        move = self._make_invoice(self.acme).with_user(self.clerk)
        results = move.wab_send(partners=partners.ids)
        self.assertEqual(len([r for r in results if r["state"] == "queued"]), 1)

    def test_one_phone_goes_by_the_contact_that_may_get_it(self):
        self.add_person().wab_enabled = False
        copy = self.add_person("Marta's copy", "0034 600 000 012")
        move = self._make_invoice(self.acme).with_user(self.clerk)
        going = [r for r in move.wab_send() if r["state"] == "queued"]
        self.assertEqual(self.partners_of(going), copy)


@tagged("post_install", "-at_install")
class TestRecipientsOfTwoCompanies(CollectionCommon, RightsCommon):
    """A private contact of one company is nobody to the other one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls._make_customer("Acme SL", ACME, is_company=True)
        cls.company.sudo().wab_consent_by_contract = True
        cls.theirs = cls._make_private("Marta of B", parent_id=cls.acme.id)
        cls.stranger = cls._make_private("Secret of B", phone="+34600000099")

    @classmethod
    def _make_private(cls, name, **values):
        partner = cls.env["res.partner"].create(
            {
                "name": name,
                "company_id": cls.other_company.id,
                "phone": "+34600000012",
                "wab_is_default_recipient": True,
                **values,
            }
        )
        partner.with_company(cls.other_company).wab_enabled = True
        return partner

    def written_to(self):
        self.env.flush_all()
        return self.messages.search([]).partner_id

    def refuses(self, do):
        """Ask as a new request would; AccessError is a UserError, too."""
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(UserError):
            do()
        self.env.invalidate_all()

    def test_automatic_receipt_stays_in_its_company(self):
        self.company.sudo().wab_auto_receipt = True
        payment = self._as(self.env["account.payment"], "clerk").create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.acme.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        self.assertEqual(self.written_to(), self.acme)

    def test_reminder_stays_in_its_company(self):
        self.make_due(partner=self.acme)
        self.run_plan()
        self.assertTrue(self.reminders(self.acme))
        self.assertNotIn(self.theirs, self.reminders().partner_id)

    def test_the_other_company_writes_to_its_own(self):
        found = self.acme._wab_default_recipients(self.other_company)
        self.assertEqual(found[self.acme.id], self.theirs)

    def test_branch_writes_to_contacts_of_its_company(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.other_company.id}
        )
        found = self.acme._wab_default_recipients(branch)
        self.assertEqual(found[self.acme.id], self.theirs)

    def test_invoice_takes_no_recipient_of_another_company(self):
        mine = self._as(self.invoice, "clerk")
        for command in (Command.link, lambda x: Command.set([x])):
            values = {"wab_recipient_ids": [command(self.stranger.id)]}
            self.refuses(lambda values=values: mine.write(values))
        self.refuses(
            lambda: self._as(mine, "administrator").write(
                {"wab_recipient_ids": [Command.link(self.stranger.id)]}
            )
        )
        mine.write({"wab_recipient_ids": [Command.link(self.acme.id)]})
        self.assertEqual(mine.wab_recipient_ids, self.acme)

    def test_new_invoice_takes_none_either(self):
        link = [Command.set(self.stranger.ids)]
        values = {"move_type": "out_invoice", "partner_id": self.partner.id}
        # An administrator may read the contact, which is another company's all the same.
        for who in ("clerk", "administrator"):
            moves = self._as(self.env["account.move"], who)
            self.refuses(
                lambda m=moves: m.create({**values, "wab_recipient_ids": link})
            )
            by_default = moves.with_context(default_wab_recipient_ids=link)
            self.refuses(lambda m=by_default: m.create(values))

    def test_payment_takes_none_either(self):
        payments = self._as(self.env["account.payment"], "clerk")
        link = [Command.set(self.stranger.ids)]
        values = {
            "payment_type": "inbound",
            "partner_type": "customer",
            "partner_id": self.partner.id,
            "amount": 40.0,
        }
        self.refuses(lambda: payments.create({**values, "wab_recipient_ids": link}))
        payment = payments.create(values)
        self.refuses(lambda: payment.write({"wab_recipient_ids": link}))

    def test_register_payment_takes_none_either(self):
        link = [Command.set(self.stranger.ids)]
        for who in ("clerk", "administrator"):
            wizards = self._as(self.env["account.payment.register"], who)
            wizards = wizards.with_context(
                active_model="account.move", active_ids=self.invoice.ids
            )
            self.refuses(lambda w=wizards: w.create({"wab_recipient_ids": link}))
            by_default = wizards.with_context(default_wab_recipient_ids=link)
            self.refuses(lambda w=by_default: w.create({}))
        self.assertEqual(wizards.create({}).wab_recipient_ids, self.partner)

    def test_composer_and_dialog_take_none_either(self):
        link = [Command.set(self.stranger.ids)]
        composers = self._as(self.env["whatsapp.billing.compose"], "clerk")
        values = {"res_model": "account.move", "res_ids": self.invoice.ids}
        self.refuses(lambda: composers.create({**values, "partner_ids": link}))
        by_default = composers.with_context(default_partner_ids=link)
        self.refuses(lambda: by_default.create(values))
        dialogs = self._as(self.env["account.move.send.wizard"], "clerk")
        values = {"move_id": self.invoice.id}
        self.refuses(lambda: dialogs.create({**values, "wab_partner_ids": link}))
        self.refuses(lambda: dialogs.create(values).write({"wab_partner_ids": link}))

    def test_what_was_linked_before_gets_nothing(self):
        """A contact may become the other company's after it was chosen."""
        self.stranger.company_id = False
        self.invoice.wab_recipient_ids = self.stranger
        self.stranger.company_id = self.other_company
        self.invoice._wab_enqueue({self.invoice.id: self.stranger}, "automation")
        self.invoice._wab_enqueue(self.invoice._wab_get_recipients(), "automation")
        self.assertNotIn(self.stranger, self.written_to())
        self.assertNotIn(
            self.stranger.wab_recipient, self.messages.search([]).mapped("recipient")
        )
