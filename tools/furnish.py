# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Late customers for the demo: a plan that has somebody to remind, and a board of cases."""

from datetime import date, timedelta

from .rpc import Json2

PLAN = "whatsapp.billing.collection.plan"
CASE = "whatsapp.billing.collection.case"
# Name, number, days late, amount, whether WhatsApp is on.
CUSTOMERS = (
    ("Talleres Vega", "600 222 001", 12, 180.0, True),
    ("Clínica Mar", "600 222 002", 8, 95.5, True),
    ("Hotel Sol", "600 222 003", 20, 640.0, True),
    ("Imprenta Luz", "600 222 004", 4, 75.0, True),
    ("Bar Pepe", "600 222 005", 4, 42.0, False),
)


class Furnishing:
    """Fill what a visitor opens first; nobody is written to."""

    def __init__(self, odoo: Json2) -> None:
        self.odoo = odoo

    def furnish(self) -> None:
        """Make customers, late invoices and a plan on dry run, and answer for some."""
        self._choose_layout()
        invoices = [self._late_invoice(*customer) for customer in CUSTOMERS]
        plan = self._make_plan(invoices)
        self.odoo.call(PLAN, "action_run", [plan])
        day = (date.today() + timedelta(days=5)).isoformat()
        self._answer(invoices[0], "action_promise", date=day)
        self._answer(invoices[1], "action_dispute", reason="One table arrived broken")
        self._answer(invoices[2], "action_hand_over")

    def _choose_layout(self) -> None:
        """Answer Odoo's question about the look of documents before a visitor is asked."""
        views = self.odoo.search(
            "ir.model.data",
            [("module", "=", "web"), ("name", "=", "external_layout_standard")],
            ["res_id"],
        )
        companies = self.odoo.search("res.company", [], ["id"], limit=1, order="id")
        self.odoo.call(
            "res.company",
            "write",
            [companies[0]["id"]],
            vals={"external_report_layout_id": views[0]["res_id"]},
        )

    def _late_invoice(
        self, name: str, number: str, late: int, amount: float, is_on: bool
    ) -> int:
        spain = self.odoo.search("res.country", [("code", "=", "ES")], ["id"])[0]["id"]
        partner = self.odoo.create(
            "res.partner",
            {
                "name": name,
                "phone": number,
                "country_id": spain,
                "lang": "es_ES",
                "wab_enabled": is_on,
            },
        )
        due = (date.today() - timedelta(days=late)).isoformat()
        invoice = self.odoo.create(
            "account.move",
            {
                "move_type": "out_invoice",
                "partner_id": partner,
                "invoice_date": due,
                "invoice_date_due": due,
                "invoice_line_ids": [
                    (0, 0, {"name": "Consulting", "price_unit": amount})
                ],
            },
        )
        self.odoo.call("account.move", "action_post", [invoice])
        return invoice

    def _make_plan(self, invoices: list[int]) -> int:
        return self.odoo.create(
            PLAN,
            {
                "name": "Demo: late customers",
                "sequence": 1,
                "domain": f"[('id', 'in', {invoices})]",
                "stage": "dry_run",
                "step_ids": [
                    (0, 0, {"days": 3}),
                    (0, 0, {"days": 10}),
                    (0, 0, {"days": 20, "action": "activity"}),
                ],
            },
        )

    def _answer(self, invoice: int, method: str, **kwargs: object) -> None:
        cases = self.odoo.search(CASE, [("move_id", "=", invoice)], ["id"])
        self.odoo.call(CASE, method, [case["id"] for case in cases], **kwargs)
