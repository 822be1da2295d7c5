# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who may read and change rows: of other companies, shared ones, others' dialogs."""

from contextlib import nullcontext

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .rights_common import RightsCommon

# Refusals of rights and of rules are both of this kind.
REFUSED = UserError
# What dialogs keep, computed with the rights of whoever opened them, and what is
# computed from that alone.
AS_CREATOR = {
    "whatsapp.billing.compose.summary",
    "whatsapp.billing.compose.shown_template_id",
    "whatsapp.billing.collection.switch.figures",
}


@tagged("post_install", "-at_install")
class TestSharedRows(RightsCommon):
    """What no company owns is every company's to read, and no manager's to change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.templates["invoice"].copy(
            {"name": "Shared", "template_name": "shared_text", "account_id": False}
        )
        cls.shared.company_id = False
        cls.on_our_account = cls.templates["invoice"].copy(
            {"name": "Ours, shared", "template_name": "shared_ours"}
        )
        cls.on_our_account.company_id = False
        cls.holiday = (
            cls.env["whatsapp.billing.collection.holiday"]
            .sudo()
            .create({"name": "Everywhere", "date": "2026-12-25", "company_id": False})
        )
        cls.rate = (
            cls.env["whatsapp.billing.credit.rate"]
            .sudo()
            .create(
                {
                    "market": "other",
                    "category": "utility",
                    "valid_from": "2030-01-01",
                    "credits": 1,
                    "company_id": False,
                }
            )
        )

    def _shared_rows(self):
        yield self.shared, {"body": "Pay to our bank account"}
        yield self.on_our_account, {"body": "Pay to our bank account"}
        yield self.shared.variable_ids[0], {"field_path": "partner_id.name"}
        yield self.shared.button_ids, {"value": "https://example.org/{{1}}"}
        yield self.on_our_account.button_ids, {"value": "https://example.org/{{1}}"}
        yield self.holiday, {"date": "2026-12-26"}
        yield self.rate, {"credits": 99}

    def test_all_read_what_is_shared(self):
        for record, _values in self._shared_rows():
            for name in ("manager", "other_manager"):
                with self.subTest(model=record._name, user=name):
                    self.assertTrue(self._as(record, name).has_access("read"))

    def test_no_manager_changes_what_is_shared(self):
        for record, values in self._shared_rows():
            for name in ("manager", "other_manager"):
                with self.subTest(model=record._name, user=name):
                    theirs = self._as(record, name)
                    with self.assertRaises(AccessError):
                        theirs.write(values)
                    with self.assertRaises(AccessError):
                        theirs.unlink()

    def test_nobody_makes_a_row_for_all_companies(self):
        for model, values in (
            ("template", {"name": "X", "body": "X", "account_id": False}),
            ("collection.holiday", {"name": "X", "date": "2026-12-24"}),
            ("credit.rate", {"market": "other", "category": "utility", "credits": 1}),
        ):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self._as(self.env[f"whatsapp.billing.{model}"], "manager").create(
                    {"company_id": False, **values}
                )

    def test_an_administrator_changes_what_is_shared(self):
        for record, values in self._shared_rows():
            with self.subTest(model=record._name):
                self._as(record, "administrator").write(values)
                self.env.flush_all()
                self.env.invalidate_all()
                for name, value in values.items():
                    wanted = record._fields[name].convert_to_cache(value, record)
                    self.assertEqual(record[name], wanted)

    def test_an_administrator_changes_shared_ones_of_chosen_companies_only(self):
        """A sibling: a template without a company, on an account of another one."""
        shared = self.other_templates["invoice"].copy(
            {"name": "Theirs, shared", "template_name": "shared_theirs"}
        )
        shared.company_id = False
        for record, values in (
            (shared, {"body": "Pay to our bank account"}),
            (shared.variable_ids[0], {"field_path": "partner_id.name"}),
            (shared.button_ids, {"value": "https://example.org/{{1}}"}),
        ):
            both = self._as(record, "administrator")
            ours = both.with_context(allowed_company_ids=self.company.ids)
            with self.subTest(model=record._name):
                self.assertTrue(ours.has_access("read"))
                with self.assertRaises(AccessError):
                    ours.write(values)
                with self.assertRaises(AccessError):
                    ours.unlink()
                both.write(values)

    def test_no_action_on_what_is_shared_or_another_company_s(self):
        theirs = self.other_templates["invoice"]
        for template in (self.shared, self.on_our_account, theirs):
            for action in (
                "action_submit",
                "action_request_deletion",
                "action_set_default",
                "action_new_version",
                "action_accept_category",
                "action_clone",
            ):
                with (
                    self.subTest(action=action, template=template.name),
                    self.assertRaises(REFUSED),
                ):
                    getattr(self._as(template, "manager"), action)()
        self.assertFalse(self.transport.calls)


@tagged("post_install", "-at_install")
class TestGivenAway(RightsCommon):
    """Nobody links an own row to another company's, or hands it over to one."""

    def test_defaults_in_the_context_link_no_further(self):
        plan = self._make_plan(self.company)
        steps = self._as(self.env["whatsapp.billing.collection.step"], "manager")
        theirs = self.other_templates["invoice"].id
        with self.assertRaises(REFUSED):
            steps.with_context(default_template_id=theirs).create(
                {"plan_id": plan.id, "days": 1}
            )
        # A sibling that nothing else would refuse: they may not read who that is.
        plans = self._as(self.env["whatsapp.billing.collection.plan"], "manager")
        stranger = self.users["other_portal"].id
        with self.assertRaises(REFUSED):
            plans.with_context(default_user_id=stranger).create({"name": "X"})

    def test_defaults_that_a_user_keeps_link_no_further(self):
        plan = self._make_plan(self.company)
        steps = self._as(self.env["whatsapp.billing.collection.step"], "manager")
        defaults = self._as(self.env["ir.default"], "manager")
        theirs = self.other_templates["payment_reminder"]
        ours = self.templates["payment_reminder"]
        defaults.set(steps._name, "template_id", theirs.id, user_id=True)
        with self.assertRaises(REFUSED):
            steps.create({"plan_id": plan.id, "days": 1})
        given = steps.create({"plan_id": plan.id, "days": 1, "template_id": ours.id})
        self.assertEqual(given.template_id, ours)
        defaults.set(steps._name, "template_id", ours.id, user_id=True)
        kept = steps.create({"plan_id": plan.id, "days": 2})
        self.assertEqual(kept.template_id, ours)

    def test_own_rows_are_not_linked_to_another_company_s(self):
        ours, theirs = self.templates["invoice"], self.other_templates["invoice"]
        plan = self._make_plan(self.company)
        their_plan = self._make_plan(self.other_company)
        route = (
            self.env["whatsapp.billing.phone.route"]
            .sudo()
            .search([("company_id", "=", self.company.id)], limit=1)
        )
        wallets = self.env["whatsapp.billing.credit.wallet"]
        wallet = wallets._for_company(self.company)
        their_wallet = wallets._for_company(self.other_company)
        purchase = (
            self.env["whatsapp.billing.credit.purchase"]
            .sudo()
            .create({"wallet_id": wallet.id})
        )
        for record, values in (
            (ours, {"account_id": self.other_account.id}),
            (ours, {"company_id": self.other_company.id}),
            (ours, {"company_id": False}),
            (ours.variable_ids[0], {"template_id": theirs.id, "position": 99}),
            (ours.button_ids, {"template_id": theirs.id}),
            (self.account, {"company_id": self.other_company.id}),
            (self.phone, {"account_id": self.other_account.id}),
            (route, {"phone_id": self.other_account.phone_ids.id}),
            (route, {"company_id": self.other_company.id}),
            (plan, {"company_id": self.other_company.id}),
            (plan.step_ids, {"plan_id": their_plan.id, "days": 99}),
            (plan, {"user_id": self.users["other_portal"].id}),
            (plan.step_ids, {"user_id": self.users["other_portal"].id}),
            (wallet, {"user_id": self.users["other_portal"].id}),
            (plan.step_ids, {"template_id": self.other_templates["invoice"].id}),
            (wallet, {"company_id": self.other_company.id}),
            (wallet, {"journal_id": self._journal(self.other_company).id}),
            (purchase, {"wallet_id": their_wallet.id}),
        ):
            with (
                self.subTest(model=record._name, values=values),
                self.assertRaises(REFUSED),
            ):
                self._as(record, "manager").write(values)

    def test_who_asks_for_a_sending_is_not_theirs_to_say(self):
        """Odoo's cron sends later what an invoice holds, in the name that it says."""
        moves = self._as(self.env["account.move"], "clerk")
        clerk, root = self.users["clerk"], self.env.ref("base.user_root")
        data = {"sending_methods": ["whatsapp_billing"]}
        named = data | {"author_user_id": root.id}
        invoice = moves.browse(self.invoice.id)
        for given in (named, data):
            with self.subTest(given=given):
                invoice.sending_data = given
                self.assertEqual(invoice.sending_data["author_user_id"], clerk.id)
        values = {"move_type": "out_invoice", "partner_id": self.partner.id}
        given = moves.with_context(default_sending_data=named)
        self.env["ir.default"].with_user(clerk).set(
            "account.move", "sending_data", named, user_id=True
        )
        for made in (
            moves.create(values | {"sending_data": named}),
            given.create(values),
            moves.create(values),
        ):
            self.assertEqual(made.sending_data["author_user_id"], clerk.id)
        # As Odoo's cron does.
        sender = self.env["account.move.send"].sudo()
        sender._generate_and_send_invoices(invoice.sudo(), from_cron=True)
        message = self.env["whatsapp.billing.message"].search(
            [("res_model", "=", "account.move"), ("res_id", "=", invoice.id)], limit=1
        )
        self.assertEqual(message.user_id, clerk)

    def test_nobody_chooses_another_company_s_plan(self):
        """On a contact that companies share, or on an invoice: nor learns its name."""
        plan = self._make_plan(self.company)
        for name in ("clerk", "other_clerk", "administrator"):
            user = self.users.get(name) or self.administrator
            user.group_ids += self.env.ref("base.group_partner_manager")
        chosen = {"wab_plan_choice": "plan", "wab_plan_id": plan.id}
        for record in (self.partner, self.other_invoice):
            mine = self._as(record, "other_clerk")
            with self.subTest(record=record._name):
                with self.assertRaises(REFUSED) as caught:
                    mine.write(dict(chosen))
                self.assertNotIn(plan.name, str(caught.exception))
        made = self._as(self.env["res.partner"], "other_clerk")
        with self.assertRaises(REFUSED):
            made.create({"name": "New", **chosen})
        # Who works in both chooses for the company in which they work.
        both = self.partner.with_user(self.administrator)
        for company, error in (
            (self.other_company, ValidationError),
            (self.company, None),
        ):
            mine = both.with_company(company)
            with self.assertRaises(error) if error else nullcontext():
                mine.write(dict(chosen))
        self.assertEqual(both.with_company(self.company).wab_plan_id, plan)
        self._as(self.partner, "clerk").write({"wab_plan_id": plan.id})

    def test_an_account_is_not_handed_on_while_messages_wait(self):
        """They would leave from the other company's number."""
        account = self._make_account(self.company, "200000000000009", "300000000000009")
        self.company.wab_account_id = self.account
        message = (
            self.env["whatsapp.billing.message"]
            .sudo()
            .create(
                {
                    "account_id": account.id,
                    "phone_id": account.phone_ids.id,
                    "company_id": self.company.id,
                    "partner_id": self.partner.id,
                    "recipient": "+34600000001",
                    "state": "held",
                }
            )
        )
        mover = account.with_user(self.administrator)
        with self.assertRaisesRegex(ValidationError, "on their way"):
            mover.company_id = self.other_company
        message.state = "canceled"
        mover.company_id = self.other_company
        self.assertEqual(account.company_id, self.other_company)

    def test_nothing_is_taken_over_through_a_parent(self):
        theirs = self.other_templates["invoice"]
        their_plan = self._make_plan(self.other_company)
        plan = self._make_plan(self.company)
        for record, values in (
            (
                self.templates["invoice"],
                {"variable_ids": [Command.link(theirs.variable_ids[0].id)]},
            ),
            (
                self.templates["invoice"],
                {"button_ids": [Command.set(theirs.button_ids.ids)]},
            ),
            (
                self.templates["invoice"],
                {"button_ids": [Command.update(theirs.button_ids.id, {"text": "X"})]},
            ),
            (
                self.account,
                {"phone_ids": [Command.link(self.other_account.phone_ids.id)]},
            ),
            (plan, {"step_ids": [Command.link(their_plan.step_ids.id)]}),
            (plan, {"step_ids": [Command.delete(their_plan.step_ids.id)]}),
        ):
            with (
                self.subTest(model=record._name, values=values),
                self.assertRaises(REFUSED),
            ):
                self._as(record, "manager").write(values)
        self.assertTrue(their_plan.step_ids.exists())

    def test_own_rows_still_change(self):
        template = self.templates["invoice"].copy({"template_name": "mine"})
        plan = self._make_plan(self.company)
        self._as(template, "manager").write({"name": "Mine"})
        self._as(plan, "manager").write(
            {"step_ids": [Command.create({"days": 30, "channel": "activity"})]}
        )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(template.name, "Mine")
        self.assertEqual(plan.step_ids.mapped("days"), [3, 30])

    def _make_plan(self, company):
        return (
            self.env["whatsapp.billing.collection.plan"]
            .sudo()
            .create(
                {
                    "name": f"Plan of {company.name}",
                    "company_id": company.id,
                    "step_ids": [Command.create({"days": 3, "channel": "activity"})],
                }
            )
        )

    def _journal(self, company):
        return (
            self.env["account.journal"]
            .sudo()
            .search(
                [("company_id", "=", company.id), ("type", "=", "purchase")], limit=1
            )
        )


@tagged("post_install", "-at_install")
class TestDialogs(RightsCommon):
    """What a dialog keeps is read and pressed by whoever opened it."""

    def test_every_dialog_of_ours_is_its_creator_s(self):
        rules = self.env["ir.rule"].sudo()
        mine = [
            model
            for name, model in self.env.registry.items()
            if name.startswith("whatsapp.billing.") and model._transient
        ]
        self.assertGreater(len(mine), 9)
        for model in mine:
            with self.subTest(model=model._name):
                found = rules.search([("model_id.model", "=", model._name)])
                self.assertTrue(
                    any(
                        "create_uid" in rule.domain_force and not rule.groups
                        for rule in found
                    )
                )

    def test_another_s_dialog_is_neither_read_nor_changed(self):
        enable = self._as(self.env["whatsapp.billing.partner.enable"], "manager")
        line = self._as(
            self.env["whatsapp.billing.partner.enable.line"], "manager"
        ).create(
            {
                "wizard_id": enable.create({}).id,
                "partner_id": self.partner.id,
                "result": "enabled",
            }
        )
        forecast = self._as(
            self.env["whatsapp.billing.collection.forecast"], "manager"
        ).create({"result": "goes", "body": "Ana owes 100"})
        compose = self._as(self.env["whatsapp.billing.compose"], "manager").create(
            {"res_model": "account.move", "res_ids": self.invoice.ids}
        )
        for dialog in (line, forecast, compose):
            for name in ("agent", "clerk", "other_clerk", "other_manager", "portal"):
                with self.subTest(model=dialog._name, user=name):
                    theirs = self._as(dialog, name)
                    with self.assertRaises(AccessError):
                        theirs.read(["create_uid"])
                    with self.assertRaises(AccessError):
                        theirs.check_access("write")
                    with self.assertRaises(AccessError):
                        theirs.unlink()
            self.assertTrue(dialog.read(["create_uid"]))

    def _their_plan(self):
        plan = self.env["whatsapp.billing.collection.plan"].sudo()
        return plan.create({"name": "Secret plan", "company_id": self.other_company.id})

    def _dialogs_about_theirs(self):
        """Yield (model, values that name what is another company's)."""
        wallet = self.env["whatsapp.billing.credit.wallet"]._for_company(
            self.other_company
        )
        stranger = self._make_customer(
            "Secret contact", "+34600000099", company_id=self.other_company.id
        )
        theirs = self.other_templates["invoice"]
        plan = self._their_plan()
        model = "whatsapp.billing.{}".format
        documents = {"res_model": "account.move", "res_ids": self.other_invoice.ids}
        yield model("collection.switch"), {"plan_id": plan.id}
        yield model("collection.forecast"), {"result": "goes", "plan_id": plan.id}
        yield model("collection.forecast"), {"result": "goes", "template_id": theirs.id}
        yield model("collection.forecast"), {"result": "goes", "debtor_id": stranger.id}
        yield model("credit.adjust"), {"wallet_id": wallet.id, "amount": 1, "note": "x"}
        people = {"partner_ids": [Command.link(stranger.id)]}
        yield model("consent.record"), people | {"evidence": "x"}
        yield model("person.erase"), people
        yield model("compose"), documents
        yield (
            model("compose"),
            documents
            | {
                "res_ids": self.invoice.ids,
                "template_id": theirs.id,
            },
        )

    def test_no_dialog_tells_of_what_its_user_may_not_read(self):
        for name, values in self._dialogs_about_theirs():
            dialogs = self._as(self.env[name], "manager")
            given = {f"default_{field}": value for field, value in values.items()}
            for context, written in (({}, values), (given, {})):
                with self.subTest(model=name, values=values, context=context):
                    self.env.flush_all()
                    self.env.invalidate_all()
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        dialogs.with_context(**context).create(written).read()

    def test_no_form_that_is_not_saved_tells_more(self):
        """What is computed while a form is filled in is computed as its user."""
        for name, values in self._dialogs_about_theirs():
            dialogs = self._as(self.env[name], "manager")
            for field in dialogs._fields.values():
                # The last ones say of which kind documents are, of none in particular.
                if not field.compute or field.name in (
                    "display_name",
                    "is_single",
                    "is_template_required",
                ):
                    continue
                with self.subTest(model=name, values=values, field=field.name):
                    self.env.flush_all()
                    self.env.invalidate_all()
                    with self.assertRaises(AccessError):
                        dialogs.onchange(dict(values), list(values), {field.name: {}})

    def test_no_form_names_what_its_user_may_not_read(self):
        """What a row that is not saved leads to is computed, and shown."""
        theirs = self.other_templates["payment_reminder"]
        model = "whatsapp.billing.{}".format
        steps = self._as(self.env[model("collection.step")], "manager")
        plans = self._as(self.env[model("collection.plan")], "manager")
        step = {"channel": "whatsapp", "days": 3, "template_id": theirs.id}
        text = {"text": {}}
        lines = {"step_ids": {"fields": text}}
        given = steps.with_context(default_template_id=theirs.id)
        row = {"id": self._their_plan().id, "name": "Mine"}
        for rows, values, told in (
            (steps, step, text),
            (steps, step | {"template_id": {"id": theirs.id}}, text),
            (steps, step | {"template_id": False, "plan_id": row}, text),
            (given, {"channel": "whatsapp", "days": 3}, text),
            (plans, {"step_ids": [Command.create(step)]}, lines),
            (plans, {"step_ids": [[1, "virtual_1", step]]}, lines),
            (plans, {"company_id": self.other_company.id}, {"problem": {}}),
        ):
            with self.subTest(model=rows._name, values=values):
                self.env.flush_all()
                self.env.invalidate_all()
                with self.assertRaises(AccessError):
                    rows.onchange(dict(values), list(values), told)
        own = self.templates["payment_reminder"]
        answer = steps.onchange(step | {"template_id": own.id}, list(step), text)
        self.assertIn("document", answer["value"]["text"])
        plan = plans.create({"name": "Own", "step_ids": [Command.create({"days": 3})]})
        # A form says all of its row, also what somebody else has put there.
        plan.step_ids.sudo().template_id = theirs
        line = [Command.update(plan.step_ids.id, {"template_id": theirs.id})]
        self.assertTrue(plan.onchange({"step_ids": line}, ["step_ids"], lines))

    def test_no_form_is_filled_in_in_another_s_name(self):
        """A call gives a form any value, also who made it."""
        for name, values in self._dialogs_about_theirs():
            computed = [one for one in AS_CREATOR if one.startswith(f"{name}.")]
            if "template_id" in values:
                continue  # about an own invoice
            if name.endswith("switch"):
                values |= {"stage": "on", "share": 100}
            dialogs = self._as(self.env[name], "manager")
            for field in computed:
                for made_by in (SUPERUSER_ID, self.administrator.id):
                    with self.subTest(model=name, field=field, made_by=made_by):
                        given = values | {"create_uid": made_by}
                        self.env.flush_all()
                        self.env.invalidate_all()
                        with self.assertRaises(AccessError):
                            dialogs.onchange(
                                given, list(given), {field.rpartition(".")[2]: {}}
                            )

    def test_what_dialogs_compute_is_computed_as_their_user(self):
        """Odoo computes what is stored, and what is related, as superuser."""
        dialogs = [
            model
            for name, model in self.env.registry.items()
            if name.startswith("whatsapp.billing.") and model._transient
        ]
        self.assertGreater(len(dialogs), 9)
        for model in dialogs:
            links = [f.name for f in model._fields.values() if f.store and f.relational]
            if set(links) - {"create_uid", "write_uid"}:
                with self.subTest(model=model._name):
                    self.assertTrue(hasattr(model, "_check_links"))
            for field in model._fields.values():
                if field.compute and field.compute_sudo:
                    with self.subTest(model=model._name, field=field.name):
                        self.assertIn(f"{model._name}.{field.name}", AS_CREATOR)

    def test_odoo_s_send_dialog_names_no_customer_of_another_company(self):
        """Odoo computes what it proposes as superuser, and keeps it for anybody."""
        dialogs = self._as(self.env["account.move.send.wizard"], "other_clerk")
        shown = {
            name: {"fields": {"display_name": {}}}
            for name in ("wab_partner_ids", "wab_customer_id")
        } | {"wab_document_type": {}}
        values = {"move_id": self.invoice.id}
        given = dialogs.with_context(default_move_id=self.invoice.id)
        mine = dialogs.create({"move_id": self.other_invoice.id})
        for how, call in (
            ("create", lambda: dialogs.create(values)),
            ("default", lambda: given.create({})),
            ("form", lambda: dialogs.browse().web_save(values, shown)),
            ("write", lambda: mine.write(values)),
        ):
            with self.subTest(how=how):
                self.env.flush_all()
                self.env.invalidate_all()
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    call()

    def test_another_s_dialog_of_odoo_is_not_read(self):
        """A sibling: what we add to Odoo's own dialogs names customers too."""
        clerk = self.users["clerk"]
        send = self._as(self.env["account.move.send.wizard"], "clerk").create(
            {"move_id": self.invoice.id}
        )
        action = self._as(self.invoice, "clerk").action_register_payment()
        register = (
            self.env["account.payment.register"]
            .with_user(clerk)
            .with_context(**action["context"])
            .create({})
        )
        for dialog, names in (
            (send, ["wab_partner_ids", "wab_customer_id", "wab_template_id"]),
            (register, ["wab_recipient_ids", "wab_send_receipt", "wab_can_receipt"]),
        ):
            self.env.flush_all()
            for name in ("agent", "other_clerk", "other_manager"):
                for field in names:
                    self.env.invalidate_all()
                    with (
                        self.subTest(model=dialog._name, user=name, field=field),
                        self.assertRaises(AccessError),
                    ):
                        self._as(dialog, name).read([field])
            self.assertTrue(dialog.read(names))

    def test_another_s_composer_is_not_pressed(self):
        compose = self._as(self.env["whatsapp.billing.compose"], "clerk").create(
            {"res_model": "account.move", "res_ids": self.invoice.ids}
        )
        with self.assertRaises(AccessError):
            self._as(compose, "agent").action_send()
        self.assertFalse(self.invoice.wab_message_ids)
