# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import itertools
from datetime import datetime

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.worker.budget import Budget
from .lifecycle_common import LifecycleCommon

MESSAGING = "odoo.addons.whatsapp_billing.models.messaging"
MIXIN = "odoo.addons.whatsapp_billing.models.worker.transactions"
OUTBOX = "odoo.addons.whatsapp_billing.models.worker.outbox"
DRAIN = "odoo.addons.whatsapp_billing.models.worker.drain"


@tagged("post_install", "-at_install")
class TestEngineGuards(LifecycleCommon):
    """One row, number, account, document or wallet that fails stops no other."""

    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.numbers = itertools.count(100)

    def make_message(self, **values):
        """Queue one invoice for a customer of its own."""
        partner = self._make_customer("C", f"+34600000{next(self.numbers)}")
        return self.send(self.make_invoice_with_pdf(partner, **values))

    def make_other_account(self):
        """Return a second company's account with a message that waits for it."""
        other = (
            self.company_data_2["company"]
            if hasattr(self, "company_data_2")
            else self.env["res.company"].create({"name": "Other"})
        )
        account = self._make_account(other, "200000000000009", "300000000000009")
        account.sudo().write({"app_uid": "100000000000009", "app_secret": "x" * 20})
        account.sudo().state = "connected"
        message = self.make_message()
        message.write({"account_id": account.id, "phone_id": account.phone_ids.id})
        return account, message

    # --- rows ------------------------------------------------------------------------

    @mute_logger(f"{MESSAGING}.drain_claim")
    def test_row_that_cannot_be_built_fails_alone(self):
        messages = self.messages.union(*(self.make_message() for _n in range(5)))
        broken = messages[1] | messages[3]
        broken[0].content = {"rows": 5, "button": "x"}
        broken[1].content = {"body": ["a"], "buttons": [1]}
        self.drain()
        self.assertEqual(set(broken.mapped("state")), {"failed"})
        self.assertEqual(set((messages - broken).mapped("state")), {"sent"})
        for message in broken:
            self.assertIn("cannot be put together", message.explanation)
            self.assertEqual(message.attempt_ids.outcome, "failed")
        self.assertEqual(self.drain(), 0)

    @mute_logger(f"{MESSAGING}.drain_claim")
    def test_row_without_recipient_fails_alone(self):
        poison, good = self.make_message(), self.make_message()
        poison.recipient = False
        self.drain()
        self.assertEqual(good.state, "sent")
        self.assertEqual(poison.state, "canceled")

    def test_retry_of_an_erased_message_says_why_it_cannot_go(self):
        erased, good = self.make_message(), self.make_message()
        (erased | good).write({"state": "failed"})
        erased.partner_id.with_user(self.manager).sudo()
        self.messages._erase_person(erased.partner_id)
        action = (erased | good).with_user(self.clerk).action_retry()
        self.assertIn("1 of 2", action["params"]["message"])
        self.drain()
        self.assertRecordValues(
            erased | good,
            [{"state": "failed"}, {"state": "sent"}],
        )
        self.assertIn("erased", erased.explanation)

    def test_retry_after_the_contact_was_deleted_stops_nobody(self):
        orphan, good = self.make_message(), self.make_message()
        (orphan | good).write({"state": "failed"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET partner_id = NULL,"
            " document_partner_id = NULL, content = NULL WHERE id = %s",
            [orphan.id],
        )
        self.env.invalidate_all()
        (orphan | good).with_user(self.clerk).action_retry()
        self.drain()
        self.assertEqual(good.state, "sent")
        self.assertNotIn(orphan.state, ("queued", "sending"))

    @mute_logger(DRAIN, "odoo.sql_db")
    def test_one_id_for_two_calls_loses_neither(self):
        """The provider gives one id twice: our own token tells the messages apart."""
        messages = self.messages.union(*(self.make_message() for _n in range(3)))
        self.patch(self, "wamids", iter(["wamid.a", "wamid.a", "wamid.b"]))
        self.drain()
        self.assertEqual(set(messages.mapped("state")), {"sent"})
        self.assertEqual(len(set(messages.mapped("uuid"))), 3)
        wamids = [wamid for wamid in messages.mapped("wamid") if wamid]
        self.assertEqual(sorted(wamids), ["wamid.a", "wamid.b"])

    def break_what_follows(self, message):
        """Have a module of somebody else fail at each new state of this message."""
        model = type(self.messages)
        original = model._after_state_change

        def follow(records):
            if message in records:
                raise ValueError("a module of somebody else")
            return original(records)

        self.patch(model, "_after_state_change", follow)

    @mute_logger(OUTBOX)
    def test_what_follows_from_one_message_harms_no_other(self):
        messages = self.messages.union(*(self.make_message() for _n in range(3)))
        self.break_what_follows(messages[1])
        self.drain()
        self.assertEqual(set(messages.mapped("state")), {"sent"})

    @mute_logger(OUTBOX)
    def test_hook_that_fails_for_one_lets_leases_of_all_run_out(self):
        messages = self.messages.union(*(self.make_message() for _n in range(3)))
        messages.write({"state": "sending", "lease_until": self.ago(minutes=1)})
        self.break_what_follows(messages[1])
        self.run_cron()
        self.assertEqual(set(messages.mapped("state")), {"unknown"})

    def test_account_that_misses_something_sends(self):
        """It was held at each claim and queued again by the cron, for ever."""
        self.account.state = "pending"
        message = self.make_message()
        self.drain()
        self.assertEqual((message.state, message.reason), ("sent", False))

    # --- numbers and accounts ----------------------------------------------------------

    @mute_logger(MIXIN)
    def test_number_that_raises_leaves_the_later_ones_to_go_on(self):
        mine = self.make_message()
        _account, other = self.make_other_account()
        model = type(self.phone)
        original = model._drain_locked

        def locked(phone, budget):
            if phone.id == self.phone.id:
                raise RuntimeError("broken")
            return original(phone, budget)

        self.patch(model, "_drain_locked", locked)
        self.run_cron()
        self.assertEqual((mine.state, other.state), ("queued", "sent"))

    def test_account_without_token_holds_its_own_only(self):
        mine = self.make_message()
        _account, other = self.make_other_account()
        self.account.sudo().access_token_cipher = False
        self.run_cron()
        self.assertEqual(other.state, "sent")
        self.assertRecordValues(mine, [{"state": "held", "reason": "account_inactive"}])
        self.assertEqual(self.account.state, "error")
        self.assertIn("token", self.account.state_detail)

    @mute_logger(MIXIN, f"{MESSAGING}.message_drain")
    def test_account_that_raises_leaves_held_messages_of_others_to_go_on(self):
        mine = self.make_message()
        account, other = self.make_other_account()
        (mine | other).write({"state": "held", "reason": "account_inactive"})
        model = type(self.messages)
        original = model._reserve_credits

        def reserve(messages):
            if account in messages.account_id:
                messages.env.cr.execute("SELECT 1/0")
            return original(messages)

        self.patch(model, "_reserve_credits", reserve)
        with mute_logger("odoo.sql_db"):
            self.run_cron()
        self.assertEqual((mine.state, other.state), ("sent", "held"))

    @mute_logger(f"{MESSAGING}.account_templates")
    def test_account_whose_templates_fail_leaves_the_others_read(self):
        account, _message = self.make_other_account()
        (self.account | account).sudo().write({"last_sync_at": False})
        model = type(self.account)
        seen = []

        def check(record):
            seen.append(record)
            if len(seen) == 1:
                record.env.cr.execute("SELECT 1/0")

        self.patch(model, "_check_templates", check)
        with mute_logger("odoo.sql_db"):
            self.run_cron("ir_cron_templates")
        self.assertGreaterEqual(set(seen), {self.account, account})

    @mute_logger(MIXIN)
    def test_wallet_that_fails_leaves_the_others_looked_after(self):
        account, _message = self.make_other_account()
        wallets = self.env["whatsapp.billing.credit.wallet"].sudo()
        pair = wallets._for_company(self.company) | wallets._for_company(
            account.company_id
        )
        pair.write({"verified_at": False})
        model = type(wallets)
        original = model._grant_allowances
        granted = []

        def grant(wallet, now):
            granted.append(wallet.id)
            if len(granted) == 1:
                raise ValueError("no such zone")
            return original(wallet, now)

        self.patch(model, "_grant_allowances", grant)
        self.run_cron("ir_cron_credits")
        pair.invalidate_recordset()
        self.assertGreaterEqual(set(granted), set(pair.ids))
        self.assertTrue(all(pair.mapped("verified_at")))

    @mute_logger(MIXIN)
    def test_step_that_fails_leaves_the_rest_of_the_cron(self):
        message = self.make_message()

        def fail(_messages):
            raise ValueError("broken")

        for step in ("_expire_leases", "_resolve_unknown", "_release_held"):
            self.patch(type(self.messages), step, fail)
        self.run_cron()
        self.assertEqual(message.state, "sent")

    def test_in_a_copy_of_the_database_held_messages_stay_so(self):
        """Not queued and held again each minute; and they go when it is confirmed."""
        message = self.make_message()
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("database.uuid", "another")
        self.drain()
        held = [{"state": "held", "reason": "account_inactive"}]
        self.assertRecordValues(message, held)
        self.assertEqual(self.messages._release_held(), 0)
        self.assertRecordValues(message, held)
        self.account.with_user(self.manager).action_confirm_binding()
        self.env.flush_all()
        self.assertEqual(self.messages._release_held(), 1)
        self.drain()
        self.assertEqual(message.state, "sent")

    # --- documents ---------------------------------------------------------------------

    def make_waiting(self, count):
        """Queue invoices whose PDF is still to be made."""
        found = self.messages.browse()
        for _n in range(count):
            partner = self._make_customer("D", f"+34600000{next(self.numbers)}")
            found |= self.send(self._make_invoice(partner))
        self.assertEqual(set(found.mapped("document_state")), {"pending"})
        return found

    def make_files(self, fault=lambda _move: None):
        """Make files at once; `fault` may raise for one of them."""

        def make(move):
            fault(move)
            self.attach_pdf(move)
            return move.invoice_pdf_report_id

        self.patch(type(self.env["account.move"]), "_wab_make_file", make)

    @mute_logger(f"{MESSAGING}.message_document", "odoo.sql_db", MIXIN)
    def test_document_that_breaks_its_transaction_fails_alone(self):
        waiting = self.make_waiting(3)

        def fault(move):
            if move.id == waiting[1].res_id:
                move.env.cr.execute("SELECT 1/0")

        self.make_files(fault)
        self.run_cron()
        self.assertEqual(waiting.mapped("state"), ["sent", "failed", "sent"])
        self.assertTrue(waiting[1].explanation)

    @mute_logger(f"{MESSAGING}.message_document", MIXIN)
    def test_fault_outside_of_rendering_fails_alone(self):
        waiting = self.make_waiting(3)
        self.make_files()
        model = type(self.messages)
        original = model._make_document

        def make(messages, res_model, res_id):
            if res_id == waiting[1].res_id:
                raise KeyError("a module that is gone")
            return original(messages, res_model, res_id)

        self.patch(model, "_make_document", make)
        self.run_cron()
        self.assertEqual(waiting.mapped("state"), ["sent", "failed", "sent"])

    def test_document_that_is_never_there_fails_instead_of_coming_again(self):
        waiting = self.make_waiting(1)
        self.patch(
            type(self.env["account.move"]),
            "_wab_make_file",
            lambda move: move.env["ir.attachment"],
        )
        self.run_cron()
        self.assertEqual(waiting.state, "failed")

    def test_messages_without_file_go_before_documents_are_made(self):
        waiting = self.make_waiting(2)
        ready = self.make_message()
        seen = []
        self.make_files(lambda _move: seen.append(self.reread(ready)))
        self.run_cron()
        self.assertEqual(seen, ["sent", "sent"])
        self.assertEqual(set(waiting.mapped("state")), {"sent"})

    def reread(self, message):
        message.invalidate_recordset()
        return message.state

    def test_documents_stop_when_time_is_up_and_go_on_later(self):
        waiting = self.make_waiting(5)
        clock = itertools.count(0, 10)
        # Read twice for each: whether to begin it, and how long it may take.
        budget = Budget(55, clock=lambda: next(clock))
        self.make_files()
        self.env.flush_all()
        self.assertTrue(self.messages._make_documents(budget))
        self.env.invalidate_all()
        self.assertEqual(waiting.mapped("document_state").count("ready"), 3)
        self.assertFalse(self.messages._make_documents(Budget(60)))
        self.env.invalidate_all()
        self.assertEqual(set(waiting.mapped("document_state")), {"ready"})

    # --- moments -----------------------------------------------------------------------

    def test_stored_moments_at_the_end_of_the_calendar_stop_nothing(self):
        first = self.make_message()
        far = datetime(9999, 12, 31, 23, 59, 59)
        for number, at in enumerate((far, datetime(1, 1, 1))):
            self.messages.create(
                {
                    "direction": "in",
                    "state": "received",
                    "wamid": f"wamid.far{number}",
                    "account_id": self.account.id,
                    "company_id": self.company.id,
                    "phone_id": self.phone.id,
                    "recipient": first.recipient,
                    "is_user_message": True,
                    "sent_at": at,
                }
            )
        self.run_cron("ir_cron_credits")
        again = self.send(self.make_invoice_with_pdf(first.partner_id), key="again")
        held = self.make_message()
        held.write({"state": "held", "reason": "account_inactive"})
        late = self.make_message()
        late.write({"expires_at": far, "queued_at": far})
        self.run_cron()
        self.run_cron()
        self.assertEqual(set((first | again | held | late).mapped("state")), {"sent"})
        self.receive_statuses(self.status(late, "failed", errors=[{"code": 131049}]))
        self.assertEqual(late.state, "queued")
        late.write({"next_attempt_at": far})
        self.run_cron()
        self.assertEqual(late.state, "queued")
