# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A document type that only its own file knows: sent, shown, asked again, erased."""

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.whatsapp_billing.tests.lifecycle_common import LifecycleCommon

from ..document import TYPE

BODY = "Hello {{1}}, delivery {{2}} has {{3}} parcels."
VARIABLES = [
    ("body", 1, "recipient.name", "text", "Ana"),
    ("body", 2, "name", "text", "OUT/1"),
    ("body", 3, "parcels", "number", "2"),
]


@tagged("post_install", "-at_install")
class TestDocumentType(LifecycleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._make_template(
            cls.account, TYPE, body=BODY, variables=VARIABLES
        )
        cls.other = cls._make_customer("Eva", "+34600000077")

    def setUp(self):
        super().setUp()
        self.accept_everything()

    def make(self, **values):
        return self.env["whatsapp.billing.test.document"].create(
            {
                "name": "OUT/1",
                "partner_id": self.partner.id,
                "company_id": self.company.id,
                "parcels": 2,
                **values,
            }
        )

    def make_files(self):
        self.env.flush_all()
        self.messages._process_documents()
        self.env.invalidate_all()

    def texts(self):
        """Return the texts that the provider received, with the numbers they went to."""
        return [
            (
                call.json["to"],
                [
                    p["text"]
                    for p in call.json["template"]["components"][-1]["parameters"]
                ],
            )
            for call in self.sent_calls()
        ]

    # --- sent ---------------------------------------------------------------------------

    def test_it_is_offered(self):
        templates = self.env["whatsapp.billing.template"]
        self.assertIn((TYPE, "Test Document"), templates._get_document_types())
        self.assertEqual(self.template.model, "whatsapp.billing.test.document")

    def test_it_goes_with_its_file(self):
        document = self.make()
        message = self.send(document)
        self.assertRecordValues(
            message,
            [
                {
                    "state": "queued",
                    "document_state": "pending",
                    "document_type": TYPE,
                    "document_name": "OUT/1",
                    "partner_id": self.partner.id,
                }
            ],
        )
        self.drain()
        self.assertEqual(message.state, "queued", "there is no file yet")
        self.make_files()
        self.drain()
        self.assertEqual(message.state, "sent")
        self.assertEqual(self.texts(), [("+34600000001", ["Ana Perez", "OUT/1", "2"])])
        self.assertEqual(message.attachment_id.raw, b"%PDF-1.4 2 parcels")
        self.assertEqual(document.with_user(self.clerk).wab_state, "sent")
        self.assertIn(message.mail_message_id, document.message_ids)

    def test_a_draft_is_refused(self):
        message = self.send(self.make(state="draft"))
        self.assertRecordValues(message, [{"state": "canceled", "reason": "draft"}])

    def test_the_composer_and_rules_take_it(self):
        document = self.make()
        action = (
            self.env["whatsapp.billing.compose"]
            .with_user(self.clerk)
            ._open(document.with_user(self.clerk))
        )
        wizard = self.env["whatsapp.billing.compose"].with_user(self.clerk)
        wizard = wizard.browse(action["res_id"])
        self.assertEqual(wizard.partner_ids, self.partner)
        self.assertIn("delivery OUT/1 has 2 parcels", wizard.preview_html)
        wizard.action_send()
        rule = self.env["ir.actions.server"].create(
            {
                "name": "Send",
                "model_id": self.env["ir.model"]._get_id(document._name),
                "state": "whatsapp_billing",
            }
        )
        self.assertEqual(rule.wab_kind, "document")
        self.assertFalse(rule.warning)
        rule.with_context(active_model=document._name, active_id=document.id).run()
        self.env.cr.precommit.run()
        self.assertEqual(
            self.messages.search([("res_model", "=", document._name)]).mapped("method"),
            ["automation", "compose"],
        )

    # --- shown --------------------------------------------------------------------------

    def test_a_template_shows_one_as_an_example(self):
        self.make(state="draft", name="OUT/0")
        document = self.make()
        self.assertEqual(self.template._find_example(), document)
        self.assertEqual(self.template.preview_res_id, document.id)
        self.assertIn("delivery OUT/1 has 2 parcels", self.template.preview_html)

    # --- asked again before the call ----------------------------------------------------

    def test_what_changed_is_told_anew_once(self):
        document = self.make()
        message = self.send(document)
        self.make_files()
        document.parcels = 3
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "superseded"}]
        )
        heir = self.messages.search([("replaces_id", "=", message.id)])
        self.make_files()
        self.drain()
        self.assertEqual(heir.state, "sent")
        self.assertEqual(self.texts(), [("+34600000001", ["Ana Perez", "OUT/1", "3"])])
        self.assertEqual(heir.attachment_id.raw, b"%PDF-1.4 3 parcels")

    def test_what_was_taken_back_is_not_told(self):
        for change in (
            lambda document: document.write({"state": "gone"}),
            lambda document: document.unlink(),
        ):
            document = self.make()
            message = self.send(document)
            self.make_files()
            change(document)
            self.drain()
            self.assertRecordValues(
                message, [{"state": "canceled", "reason": "cancelled_document"}]
            )
        self.assertFalse(self.sent_calls())

    def test_another_customers_is_not_told(self):
        """Neither by themselves nor to whom a person named."""
        for named in (False, self.partner.ids):
            document = self.make()
            message = self.send(document, partners=named)
            self.make_files()
            document.partner_id = self.other
            self.drain()
            self.assertRecordValues(
                message, [{"state": "canceled", "reason": "superseded"}]
            )
        self.assertFalse(self.sent_calls())

    def test_a_file_that_is_gone_is_made_anew(self):
        message = self.send(self.make())
        self.make_files()
        message.attachment_id.unlink()
        self.drain()
        self.assertRecordValues(
            message, [{"state": "queued", "document_state": "pending"}]
        )
        self.make_files()
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_many_are_asked_in_as_many_queries_as_one(self):
        counts = []
        for number in (2, 9):
            documents = self.env["whatsapp.billing.test.document"].union(
                *(
                    self.make(
                        name=f"OUT/{i}",
                        partner_id=self._make_customer(
                            "Eva", f"+34601{number:02d}{i:04d}"
                        ).id,
                    )
                    for i in range(number)
                )
            )
            messages = self.send(documents)
            rows = messages.read(
                ["res_id", "partner_id", "company_id", "document_state"], load=None
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = documents.sudo()._wab_ask_again(
                [row | {"attachment_id": None} for row in rows]
            )
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual({look.state for look in found.values()}, {"posted"})
            self.assertTrue(all(look.fingerprint for look in found.values()))
        self.assertEqual(counts[0], counts[1])

    # --- erased -------------------------------------------------------------------------

    def test_a_person_is_erased_from_it(self):
        document = self.make()
        message = self.send(document)
        self.make_files()
        self.drain()
        line = message.mail_message_id
        self.assertIn("delivery OUT/1", line.body)
        wizard = self.env["whatsapp.billing.person.erase"].with_user(self.manager)
        wizard.create({"partner_ids": [Command.set(self.partner.ids)]}).action_erase()
        self.env.invalidate_all()
        self.assertFalse(message.body)
        self.assertFalse(message.recipient)
        self.assertNotIn("delivery OUT/1", line.body)
        self.assertEqual(
            document.partner_id, self.partner, "the document is theirs still"
        )
