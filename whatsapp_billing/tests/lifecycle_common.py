# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import itertools
import json
from datetime import timedelta, timezone

from odoo import fields
from odoo.tools.misc import file_path

from ..clients.signatures import sign_meta
from ..models.worker import outbox
from .common import PHONE_UID, SECRET, WABA_UID, WhatsappBillingCommon


class LifecycleCommon(WhatsappBillingCommon):
    """Sends through the real drain and inbox, with the provider answered in memory."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.messages = cls.env["whatsapp.billing.message"].sudo()
        cls.events = cls.env["whatsapp.billing.webhook.event"].sudo()
        cls.wamids = (f"wamid.{n}" for n in itertools.count(1))

    def setUp(self):
        super().setUp()
        self.enterContext(self.enter_registry_test_mode())
        # The connection that all share in a test belongs to one thread.
        self.patch(outbox, "LANES", 1)

    # --- documents -----------------------------------------------------------------

    def make_invoice_with_pdf(self, partner=None, **values):
        """Return a posted invoice that has its legal PDF (nothing is rendered)."""
        invoice = self._make_invoice(partner, **values)
        self.attach_pdf(invoice)
        return invoice

    def attach_pdf(self, invoice, content=None):
        if content is None:
            with open(file_path("base/tests/minimal.pdf"), "rb") as stream:
                content = stream.read() + str(invoice.id).encode()
        self.env["ir.attachment"].create(
            {
                "name": f"{invoice.name.replace('/', '_')}.pdf",
                "raw": content,
                "mimetype": "application/pdf",
                "res_model": "account.move",
                "res_id": invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        invoice.invalidate_recordset(
            ["invoice_pdf_report_id", "invoice_pdf_report_file"]
        )

    def send(self, documents, **kwargs):
        """Send as the clerk; return the message rows."""
        results = documents.with_user(self.clerk).wab_send(**kwargs)
        return self.messages.browse([r["message_id"] for r in results])

    # --- provider ---------------------------------------------------------------------

    def accept_everything(self):
        """Answer uploads and messages as Meta does when all is well."""
        self.transport.add("POST", r"/media(\?|$)", lambda _call: self._media())
        self.transport.add("POST", r"/messages(\?|$)", lambda _call: self._accepted())

    def _media(self):
        return self._answer({"id": "777"})

    def _accepted(self):
        return self._answer(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": "+34600000001", "wa_id": "34600000001"}],
                "messages": [
                    {"id": next(self.wamids), "message_status": "accepted"}
                ],
            }
        )

    def drain(self):
        """Run the worker for the account's number."""
        self.env.flush_all()
        sent = self.phone._drain()
        self.env.invalidate_all()
        return sent

    def run_cron(self, xml_id="ir_cron_outbox"):
        self.env.flush_all()
        self.env.ref(f"whatsapp_billing.{xml_id}").method_direct_trigger()
        self.env.invalidate_all()

    def sent_calls(self):
        """Return the message requests that the provider received."""
        return [c for c in self.transport.calls if "/messages" in c.url]

    # --- webhooks ----------------------------------------------------------------------

    def status(self, message, status, at=1763600000, **extra):
        """Return one receipt as Meta writes it."""
        return {
            "id": message.wamid or "wamid.unknown",
            "status": status,
            "timestamp": str(at),
            "recipient_id": "34600000001",
            "biz_opaque_callback_data": message.uuid,
            **extra,
        }

    def value(self, **parts):
        return {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": "34910000001",
                "phone_number_id": PHONE_UID,
            },
            **parts,
        }

    def receive(self, *values, field="messages", secret=SECRET, waba=WABA_UID):
        """Take in one signed POST with these values; return whether it was genuine."""
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": [
                    {
                        "id": waba,
                        "changes": [{"field": field, "value": v} for v in values],
                    }
                ],
            }
        ).encode()
        token = self.account.sudo().webhook_token
        return self.events._receive(
            token, body, {"X-Hub-Signature-256": sign_meta(secret, body)}
        )

    def process_inbox(self):
        self.env.flush_all()
        self.events._job_process()
        self.env.invalidate_all()

    def receive_statuses(self, *statuses):
        self.assertTrue(self.receive(self.value(statuses=list(statuses))))
        self.process_inbox()

    def receive_text(self, text, sender="34600000001", wamid="wamid.in1", **extra):
        """Receive what a customer has just written, unless `timestamp` says otherwise."""
        message = {
            "from": sender,
            "id": wamid,
            "timestamp": str(self.stamp()),
            "type": "text",
            "text": {"body": text},
            **extra,
        }
        contacts = [{"profile": {"name": "Ana"}, "wa_id": sender}]
        self.assertTrue(self.receive(self.value(contacts=contacts, messages=[message])))
        self.process_inbox()

    @staticmethod
    def stamp(moment=None):
        """Return a moment (default now) as the provider writes it."""
        moment = moment or fields.Datetime.now()
        return int(moment.replace(tzinfo=timezone.utc).timestamp())

    def ago(self, **delta):
        return fields.Datetime.now() - timedelta(**delta)
