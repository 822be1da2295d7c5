# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The main story on a running system: from a posted invoice to a phone and back.

Every step is done over the wire (JSON-2 as an integrator, the simulator as Meta and
as the customer) and every figure in the result was observed, never assumed.
"""

import http.client
import time
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from .ground import PATIENCE, say
from .rpc import Control, Json2, until
from .story_credits import CreditSteps

CUSTOMER = "+34600111222"
ACCOUNT = {
    "name": "Story account",
    "provider": "meta",
    "waba_uid": "200000000000001",
    "app_uid": "100000000000001",
    "app_secret": "simulator-app-secret",
    "access_token": "simulator-token",
}
TEMPLATES = ("invoice", "payment_receipt", "payment_reminder")
PROMISE = "Pagaré el día ..."
# The reminders of the story: on the day after the due date and three days later.
STEPS = (1, 4)
DELIVERED = ("delivered", "read")


class Story(CreditSteps):
    """Play the steps in order; `seen` is what was observed."""

    def __init__(self, odoo: Json2, control: Control) -> None:
        self.odoo = odoo
        self.control = control
        self.seen: dict[str, object] = {}

    def play(self) -> dict[str, object]:
        """Return what was observed; raises on the first step that was not."""
        started = time.monotonic()
        self.seen["odoo_version"] = self._odoo_version()
        for step in (
            self.connect,
            self.approve_templates,
            self.send_invoice,
            self.receive_on_phone,
            self.open_pay_link,
            self.see_ticks,
            self.see_cost,
            self.run_out_of_credit,
            self.send_again,
            self.remind,
            self.promise,
            self.settle,
            self.run_after_payment,
            self.pay,
            self.opt_out,
        ):
            say(f"  {(step.__doc__ or '').splitlines()[0]}")
            step()
        self.seen["seconds"] = round(time.monotonic() - started, 1)
        return self.seen

    # --- steps ------------------------------------------------------------------

    def connect(self) -> None:
        """An account is connected; its numbers and templates are read."""
        self.control.post("reset", review="manual")
        self.language = self._install_language()
        found = self.odoo.search(
            "whatsapp.billing.account", [("waba_uid", "=", ACCOUNT["waba_uid"])], []
        )
        values = {**ACCOUNT, "api_url": self.control.url}
        if found:
            self.account = found[0]["id"]
            self.odoo.call(
                "whatsapp.billing.account", "write", [self.account], vals=values
            )
        else:
            self.account = self.odoo.create("whatsapp.billing.account", values)
        self.odoo.call("whatsapp.billing.account", "action_connect", [self.account])
        state = self._read("whatsapp.billing.account", self.account)
        _expect(state["state"] == "connected", f"account: {state['state_detail']}")
        _expect(state["phone_ids"], "the account's numbers were read")

    def approve_templates(self) -> None:
        """Templates are submitted and come back approved by webhook."""
        for document_type in TEMPLATES:
            template = self._template(document_type)
            self.odoo.call(
                "whatsapp.billing.template", "action_submit", [template["id"]]
            )
            after = self._read("whatsapp.billing.template", template["id"])
            _expect(after["status"] == "pending", f"submitted: {after['status']}")
            self.control.post("template", action="approve", id=after["template_uid"])
            until(
                f"{document_type} template approved by webhook",
                lambda found=template["id"]: (
                    self._read("whatsapp.billing.template", found)["status"]
                    == "approved"
                ),
            )
        self.seen["template_approved"] = True

    def send_invoice(self) -> None:
        """An invoice is posted and sent with Odoo's own Send dialog."""
        self.partner = self._customer()
        self.invoice = self._posted_invoice()
        wizard = self.odoo.call(
            "account.move.send.wizard",
            "create",
            vals_list=[{}],
            context={"active_model": "account.move", "active_ids": [self.invoice]},
        )[0]
        methods = self._read("account.move.send.wizard", wizard)["sending_methods"]
        _expect("whatsapp_billing" in methods, f"dialog proposes WhatsApp: {methods}")
        self.odoo.call("account.move.send.wizard", "action_send_and_print", [wizard])

    def receive_on_phone(self) -> None:
        """The customer's phone shows it, in their language, with the PDF."""
        move = self._read("account.move", self.invoice)
        message = until("the invoice on the phone", self._last_on_phone)
        self.first = message
        header = message["header"] or {}
        document = header.get("document") or header
        _expect(message["language"] == "es", f"language {message['language']}")
        _expect(move["name"] in message["body"], f"invoice number: {message['body']}")
        amount = f"{move['amount_total']:.2f}".replace(".", ",")
        _expect(amount in message["body"], f"{amount} in: {message['body']}")
        name, size = document.get("filename"), document.get("size")
        _expect(name and name.endswith(".pdf") and size, f"a PDF arrived: {header}")
        plain = "".join(c for c in move["name"] if c.isalnum())
        _expect(plain in "".join(c for c in name if c.isalnum()), f"named {name}")
        self.seen["message_sent"] = True
        self.seen["pdf_received"] = {"name": name, "size": size}

    def open_pay_link(self) -> None:
        """The Pay button opens the invoice without a login."""
        link = next(b["url"] for b in self.first["buttons"] if b.get("url"))
        parts = urlsplit(link)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60 * PATIENCE)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        page = answer.read().decode(errors="replace")
        name = self._read("account.move", self.invoice)["name"]
        _expect(answer.status == 200, f"{link} answered {answer.status}")
        _expect(name in page, "the invoice's number is on the page")
        self.seen["pay_link_opens"] = True

    def see_ticks(self) -> None:
        """Delivered and read arrive by signed webhook and show on the invoice."""
        until("delivered on the invoice", lambda: self._wab_state() in DELIVERED)
        self.seen["delivered_shown"] = True
        self.control.post("status", wamid=self.first["wamid"], status="read")
        until("read on the invoice", lambda: self._wab_state() == "read")
        self.seen["read_shown"] = True

    def send_again(self) -> None:
        """The same call again changes nothing; a key is used once."""
        before = len(self.control.messages(CUSTOMER))
        first = self.odoo.call(
            "account.move", "wab_send", [self.invoice], key="story-again"
        )
        second = self.odoo.call(
            "account.move", "wab_send", [self.invoice], key="story-again"
        )
        _expect(first == second, f"one key, one result: {first} {second}")
        until(
            "the second message",
            lambda: len(self.control.messages(CUSTOMER)) > before,
        )
        self.control.post("webhooks/flush")
        uuids = [message["uuid"] for message in self.control.messages(CUSTOMER)]
        _expect(len(uuids) == before + 1, f"{len(uuids)} messages, not {before + 1}")
        _expect(len(set(uuids)) == len(uuids), "no message came twice")
        self.seen["sent_once"] = True

    def remind(self) -> None:
        """An overdue invoice is reminded of once, however often the plan is run."""
        self.overdue = self._posted_invoice(due=date.today() - timedelta(days=1))
        self.plan = self._make_plan(self.overdue)
        name = self._read("account.move", self.overdue)["name"]
        before = len(self.control.messages(CUSTOMER))
        self._run_plan(0)
        self.reminder = until(
            "the reminder on the phone",
            lambda: next((m for m in self._after(before) if name in m["body"]), None),
        )
        self._run_plan(0)
        self._expect_silence(before + 1, "a second run for the same date")
        case = self._case()
        _expect(case["state"] == "active" and case["step_id"], f"next step: {case}")
        self.seen["reminder_once"] = True

    def promise(self) -> None:
        """The customer taps a promise and its day; reminders wait until then."""
        self._tap(self.reminder, PROMISE)
        until("the promise on the case", lambda: self._case()["state"] == "promised")
        days = until(
            "a list of days on the phone",
            lambda: next((m for m in self._after(0) if _rows(m)), None),
        )
        day = _rows(days)[3]
        self._tap(days, day["text"])
        # The list counts from the customer's own today: late in the evening it is
        # tomorrow there already.
        there = datetime.now(ZoneInfo("Europe/Madrid")).date()
        chosen = (there + timedelta(days=5)).isoformat()
        until(
            f"the promise for {chosen}",
            lambda: self._case()["promise_date"] == chosen,
        )
        until(
            "the confirmation on the phone",
            lambda: self._after(0)[-1]["wamid"] != days["wamid"],
        )
        before = len(self.control.messages(CUSTOMER))
        self._run_plan(5)
        self._expect_silence(before, "a run while the promise holds")
        self.seen["promise_pauses"] = True

    def settle(self) -> None:
        """The invoice is paid: its case closes, and the receipt comes by itself."""
        company = self._read("whatsapp.billing.account", self.account)["company_id"][0]
        self.odoo.call(
            "res.company", "write", [company], vals={"wab_auto_receipt": True}
        )
        before = len(self.control.messages(CUSTOMER))
        payment = self._register_payment(self.overdue)
        _expect(self._case()["state"] == "done", f"the case closes: {self._case()}")
        self.seen["payment_closes"] = True
        receipt = self._template("payment_receipt")["template_name"]
        until(
            "the receipt on the phone",
            lambda: any(m["template"] == receipt for m in self._after(before)),
        )
        self.odoo.call("account.payment", "action_post", [payment])
        self._expect_silence(before + 1, "posting the payment again")
        self.odoo.call(
            "res.company", "write", [company], vals={"wab_auto_receipt": False}
        )
        self.seen["receipt_once"] = True

    def run_after_payment(self) -> None:
        """The plan is run long after; what is paid stays unsaid."""
        before = len(self.control.messages(CUSTOMER))
        self._run_plan(30)
        self._expect_silence(before, "a run after the payment")
        self.seen["no_reminder_after_payment"] = True

    def pay(self) -> None:
        """A payment is registered and its receipt is sent by hand."""
        payment = self._register_payment(self.invoice)
        results = self.odoo.call("account.payment", "wab_send_receipt", [payment])
        _expect(results[0]["state"] == "queued", f"receipt queued: {results}")
        receipt = self._template("payment_receipt")["template_name"]
        until(
            "the receipt on the phone",
            lambda: (self._last_on_phone() or {}).get("template") == receipt,
        )
        self.seen["receipt_sent"] = True

    def opt_out(self) -> None:
        """The customer writes BAJA; from then on nothing goes out."""
        before = len(self.control.messages(CUSTOMER))
        self.control.post("reply", **{"from": CUSTOMER, "text": "BAJA"})
        until("the opt-out on the contact", self._is_opted_out)
        results = self.odoo.call("account.move", "wab_send", [self.invoice])
        _expect(
            results[0]["reason"] == "opted_out" and results[0]["detail"],
            f"refused with a reason: {results}",
        )
        self.control.post("webhooks/flush")
        after = len(self.control.messages(CUSTOMER))
        _expect(after == before, f"nothing more arrived: {before} {after}")
        self.seen["opt_out_respected"] = True

    # --- helpers -----------------------------------------------------------------

    def _odoo_version(self) -> str:
        module = self.odoo.search(
            "ir.module.module", [("name", "=", "base")], ["latest_version"]
        )
        return module[0]["latest_version"]

    def _install_language(self) -> str:
        found = self.odoo.call(
            "res.lang",
            "search_read",
            domain=[("code", "=like", "es%")],
            fields=["code"],
            context={"active_test": False},
        )
        code = "es_ES"
        lang = next(row for row in found if row["code"] == code)
        wizard = self.odoo.create(
            "base.language.install", {"lang_ids": [(6, 0, [lang["id"]])]}
        )
        self.odoo.call("base.language.install", "lang_install", [wizard])
        return code

    def _customer(self) -> int:
        spain = self.odoo.search("res.country", [("code", "=", "ES")], ["id"])[0]["id"]
        return self.odoo.create(
            "res.partner",
            {
                "name": "Ana García",
                "lang": self.language,
                "phone": "600 111 222",
                "country_id": spain,
                "wab_enabled": True,
            },
        )

    def _register_payment(self, invoice: int) -> int:
        context = {"active_model": "account.move", "active_ids": [invoice]}
        wizard = self.odoo.call(
            "account.payment.register", "create", vals_list=[{}], context=context
        )[0]
        self.odoo.call(
            "account.payment.register",
            "action_create_payments",
            [wizard],
            context=context,
        )
        return self.odoo.search(
            "account.payment",
            [("partner_id", "=", self.partner)],
            ["id"],
            order="id desc",
            limit=1,
        )[0]["id"]

    def _make_plan(self, invoice: int) -> int:
        return self.odoo.create(
            "whatsapp.billing.collection.plan",
            {
                "name": "Story plan: one invoice, paid by now",
                "sequence": 90,
                "domain": f"[('id', '=', {invoice})]",
                "stage": "on",
                "quiet_start": 0.0,
                "quiet_end": 0.0,
                "step_ids": [(0, 0, {"days": days}) for days in STEPS],
            },
        )

    def _run_plan(self, ahead: int) -> None:
        # The customer's day: late in the evening it is tomorrow there already.
        there = datetime.now(ZoneInfo("Europe/Madrid")).date()
        day = (there + timedelta(days=ahead)).isoformat()
        self.odoo.call(
            "whatsapp.billing.collection.plan", "action_run", [self.plan], date=day
        )

    def _case(self) -> dict:
        return self.odoo.search(
            "whatsapp.billing.collection.case",
            [("move_id", "=", self.overdue)],
            ["state", "step_id", "next_date", "promise_date", "reason"],
            limit=1,
            order="id desc",
        )[0]

    def _after(self, count: int) -> list[dict]:
        return self.control.messages(CUSTOMER)[count:]

    def _tap(self, message: dict, text: str) -> None:
        self.control.post(
            "reply",
            **{"from": CUSTOMER, "button": {"text": text}, "context": message["wamid"]},
        )

    def _expect_silence(self, count: int, what: str) -> None:
        """Nothing waits in Odoo, and the phone has what it had."""
        until(
            f"an empty outbox after {what}",
            lambda: (
                not self.odoo.search(
                    "whatsapp.billing.message",
                    [("state", "in", ["queued", "sending", "held"])],
                    ["id"],
                )
            ),
        )
        self.control.post("webhooks/flush")
        found = len(self.control.messages(CUSTOMER))
        _expect(found == count, f"{what}: {found} messages, not {count}")

    def _posted_invoice(self, due: date | None = None) -> int:
        invoice = self.odoo.create(
            "account.move",
            {
                "move_type": "out_invoice",
                "partner_id": self.partner,
                "invoice_date": date.today().isoformat(),
                "invoice_date_due": (
                    due or date.today() + timedelta(days=15)
                ).isoformat(),
                "invoice_line_ids": [
                    (0, 0, {"name": "Consulting", "quantity": 2, "price_unit": 60.25})
                ],
            },
        )
        self.odoo.call("account.move", "action_post", [invoice])
        return invoice

    def _template(self, document_type: str) -> dict:
        found = self.odoo.search(
            "whatsapp.billing.template",
            [
                ("account_id", "=", self.account),
                ("document_type", "=", document_type),
                ("lang_code", "=", "es"),
                ("is_default", "=", True),
            ],
            ["id", "template_name", "status"],
        )
        _expect(found, f"a ready template for {document_type} in Spanish")
        return found[0]

    def _last_on_phone(self) -> dict | None:
        messages = self.control.messages(CUSTOMER)
        return messages[-1] if messages else None

    def _wab_state(self) -> str:
        return self._read("account.move", self.invoice)["wab_state"]

    def _is_opted_out(self) -> bool:
        partner = self._read("res.partner", self.partner)
        return partner["wab_opt_in_state"]["billing"] == "withdrawn"

    def _read(self, model: str, record_id: int) -> dict:
        names = {
            "account.move": ["name", "amount_total", "wab_state"],
            "account.move.send.wizard": ["sending_methods"],
            "res.partner": ["wab_opt_in_state"],
            "whatsapp.billing.account": [
                "state",
                "state_detail",
                "phone_ids",
                "company_id",
            ],
            "whatsapp.billing.template": ["status", "template_uid", "template_name"],
        }
        return self.odoo.read(model, [record_id], names[model])[0]


def _rows(message: dict) -> list[dict]:
    """Return what a list message lets the customer choose from."""
    return [b for b in message.get("buttons") or [] if b.get("type") == "list"]


def _expect(condition: object, what: str) -> None:
    if not condition:
        raise AssertionError(what)
