# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The part of the story that is about credits: what it cost, and what if none are left.

Mixed into `story.Story`, whose `odoo`, `control`, `seen`, `invoice` and `first` it uses.
"""

from datetime import date

from .rpc import until

WALLET = "whatsapp.billing.credit.wallet"
ENTRY = "whatsapp.billing.credit.entry"
MESSAGE = "whatsapp.billing.message"
PURCHASE = "whatsapp.billing.credit.purchase"
FIGURES = ["balance", "reserved", "available", "is_limited"]
BOUGHT = 100


class CreditSteps:
    """Steps for `Story.play`; each adds its figures to `seen`."""

    def see_cost(self) -> None:
        """The journal shows what was reserved for the message and what it cost."""
        message = self.odoo.search(
            MESSAGE, [("wamid", "=", self.first["wamid"])], ["id", "state"]
        )[0]
        until("the settlement", lambda: self._entry(message["id"], "settle"))
        reserve = self._entry(message["id"], "reserve")
        settle = self._entry(message["id"], "settle")
        rate = self.odoo.read(
            "whatsapp.billing.credit.rate",
            [settle["rate_id"][0]],
            ["market", "category", "credits", "price", "valid_from", "source"],
        )[0]
        listed = rate["credits"]
        _expect(reserve["reserved_amount"] == listed > 0, f"reserved: {reserve}")
        _expect(
            (settle["amount"], settle["reserved_amount"]) == (-listed, -listed),
            f"settled at the listed price {listed}: {settle}",
        )
        self._adds_up()
        self.seen["credit_reserved"] = True
        self.seen["credit_settled"] = True
        self.seen["credit_figures"] = {
            "reserved": reserve["reserved_amount"],
            "settled": -settle["amount"],
            "rate": {key: rate[key] for key in rate if key != "id"},
        }

    def run_out_of_credit(self) -> None:
        """Without credits a message waits; it goes by itself when they are bought."""
        wallet = self._wallet()
        self.odoo.call(WALLET, "write", [wallet["id"]], vals={"is_limited": True})
        before = self._wallet()
        _expect(before["available"] >= 0, f"a limit starts at nothing: {before}")
        price = self.seen["credit_figures"]["reserved"]
        _expect(before["available"] < price, f"no credits yet: {before}")
        found = self.odoo.call("account.move", "wab_send", [self.invoice])[0]
        _expect(
            (found["state"], found["reason"]) == ("held", "no_credit"), f"held: {found}"
        )
        _expect(self._wallet()["available"] >= 0, "nothing was overdrawn")
        self.seen["held_without_credit"] = True
        purchase = self._buy(wallet["id"])
        state = ["sent", "delivered", "read"]
        until(
            "the message that waited for credits",
            lambda: self._message_state(found["message_id"]) in state,
            seconds=120,
        )
        until(
            "its settlement", lambda: self._entry(found["message_id"], "settle")
        )
        after = self._wallet()
        expected = round(before["balance"] + BOUGHT - price, 6)
        _expect(round(after["balance"], 6) == expected, f"{after}, not {expected}")
        self._adds_up()
        self.seen["released_when_bought"] = True
        self.seen["credit_figures"] |= {
            "bought": BOUGHT,
            "bill": purchase["bill_id"][1],
            "available_before": before["available"],
            "balance_after": after["balance"],
            "reserved_after": after["reserved"],
        }
        # The rest of the story is not about credits.
        self.odoo.call(WALLET, "write", [wallet["id"]], vals={"is_limited": False})

    def _buy(self, wallet_id: int) -> dict:
        """Buy credits, post and pay their bill; return the purchase."""
        purchase = self.odoo.create(
            PURCHASE, {"wallet_id": wallet_id, "quantity": BOUGHT}
        )
        self.odoo.call(PURCHASE, "action_create_bill", [purchase])
        fields = ["bill_id", "state", "credited"]
        bought = self.odoo.read(PURCHASE, [purchase], fields)[0]
        bill = bought["bill_id"][0]
        self.odoo.call(
            "account.move",
            "write",
            [bill],
            vals={"invoice_date": date.today().isoformat()},
        )
        self.odoo.call("account.move", "action_post", [bill])
        context = {"active_model": "account.move", "active_ids": [bill]}
        wizard = self.odoo.call(
            "account.payment.register", "create", vals_list=[{}], context=context
        )[0]
        self.odoo.call(
            "account.payment.register",
            "action_create_payments",
            [wizard],
            context=context,
        )
        bought = self.odoo.read(PURCHASE, [purchase], fields)[0]
        _expect(
            (bought["state"], bought["credited"]) == ("done", BOUGHT), f"{bought}"
        )
        return bought

    def _wallet(self) -> dict:
        return self.odoo.search(WALLET, [], FIGURES, limit=1)[0]

    def _entry(self, message_id: int, kind: str) -> dict | None:
        found = self.odoo.search(
            ENTRY,
            [("message_id", "=", message_id), ("kind", "=", kind)],
            ["amount", "reserved_amount", "rate_id"],
        )
        return found[0] if found else None

    def _message_state(self, message_id: int) -> str:
        return self.odoo.read(MESSAGE, [message_id], ["state"])[0]["state"]

    def _adds_up(self) -> None:
        """The wallet's figures are the sums of its journal."""
        until("books that add up", self._is_balanced)

    def _is_balanced(self) -> bool:
        """Compare them in two calls: something may be booked in between."""
        entries = self.odoo.search(ENTRY, [], ["amount", "reserved_amount"])
        wallet = self._wallet()
        return all(
            round(wallet[figure], 6) == round(sum(entry[name] for entry in entries), 6)
            for figure, name in (("balance", "amount"), ("reserved", "reserved_amount"))
        )


def _expect(condition: object, what: str) -> None:
    if not condition:
        raise AssertionError(what)
