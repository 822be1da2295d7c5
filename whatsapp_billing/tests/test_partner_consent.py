# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from contextlib import suppress
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from .common import WhatsappBillingCommon


@tagged("post_install", "-at_install")
class TestPartnerConsent(WhatsappBillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk.group_ids |= cls.env.ref("base.group_partner_manager")

    def record(self, partners, purpose, granted, evidence="Order form of 3 November"):
        """Press the button on the contact and fill in the dialog, as the clerk."""
        action = (
            partners.with_user(self.clerk)
            .with_context(wab_purpose=purpose, wab_granted=granted)
            .action_wab_consent()
        )
        form = Form(
            self.env[action["res_model"]]
            .with_user(self.clerk)
            .with_context(**action["context"])
        )
        form.evidence = evidence
        return form.save().action_record()

    def test_nobody_writes_what_the_system_makes_of_a_number(self):
        """A clerk wrote the address itself: the bill went where no form shows."""
        stranger = "+34611111111"
        names = ("wab_recipient", "wab_person_key", "wab_new_number")
        partners = self.env["res.partner"].with_user(self.clerk)
        mine = self.partner.with_user(self.clerk)
        for name in names:
            with self.subTest(name):
                for way, do in {
                    "write": lambda n=name: mine.write({n: stranger}),
                    "create": lambda n=name: partners.create(
                        {"name": "Zoe", n: stranger}
                    ),
                }.items():
                    with self.assertRaises(AccessError, msg=way):
                        do()
                late = partners.with_context(**{f"default_{name}": stranger}).create(
                    {"name": "Late", "phone": "+34600000055"}
                )
                self.env.flush_all()
                self.env.invalidate_all()
                self.assertNotEqual(late.sudo()[name], stranger)
                self.assertEqual(late.wab_recipient, "+34600000055")
        mine.phone = "+34600000077"
        self.assertEqual(mine.wab_recipient, "+34600000077")

    def test_nobody_writes_it_by_any_other_way(self):
        """Lines of another record, imports, copies, own defaults, users, merging."""
        stranger = "+34611111111"
        company = self._make_customer("Acme SL", "+34600000010", is_company=True)
        child = self._make_customer("Leo", "+34600000011", parent_id=company.id)
        tag = self.env["res.partner.category"].create(
            {"name": "Tag", "partner_ids": child.ids}
        )
        self.clerk.group_ids |= self.env.ref("base.group_allow_export")
        partners = self.env["res.partner"].with_user(self.clerk)
        admin = self.env.ref("base.user_admin")
        users = self.env["res.users"].with_user(admin)
        for name in ("wab_recipient", "wab_person_key", "wab_new_number"):
            values = {name: stranger}
            new = {"name": "New", "phone": "+34600000012", **values}
            ways = {
                "line": lambda v=values: company.with_user(self.clerk).write(
                    {"child_ids": [(1, child.id, v)]}
                ),
                "new line": lambda v=new: company.with_user(self.clerk).write(
                    {"child_ids": [(0, 0, v)]}
                ),
                "with lines": lambda v=new: partners.create(
                    {"name": "Big SL", "child_ids": [(0, 0, v)]}
                ),
                "default lines": lambda v=new: partners.with_context(
                    default_child_ids=[(0, 0, v)]
                ).create({"name": "Big SL"}),
                "tag": lambda v=values: tag.with_user(self.clerk).write(
                    {"partner_ids": [(1, child.id, v)]}
                ),
                "import": lambda n=name: partners.load(
                    ["name", n], [["Imported", stranger]]
                ),
                "import again": lambda n=name: partners.load(
                    [".id", n], [[str(child.id), stranger]]
                ),
                "copy": lambda v=values: child.with_user(self.clerk).copy(v),
                "user": lambda v=new: users.create({"login": "new", **v}),
                "own user": lambda v=values: admin.with_user(admin).write(v),
            }
            for way, do in ways.items():
                # Lines are written in the name of whom the transaction began with.
                origin = self.env.transaction
                with (
                    self.subTest(way, name=name),
                    patch.object(origin, "default_env", partners.env),
                ):
                    # Importing answers with what went wrong instead of raising it.
                    result = {"ids": False}
                    with suppress(AccessError), self.env.cr.savepoint():
                        result = do()
                        self.env.flush_all()
                    self.assertIsInstance(result, dict)
                    self.assertFalse(result["ids"])
                    self.env.invalidate_all()
                    found = self.env["res.partner"].with_context(active_test=False)
                    self.assertFalse(found.search_count([(name, "=", stranger)]))

    def test_an_own_default_is_none_for_what_the_system_writes(self):
        """Whoever may log in may set defaults for what they make."""
        stranger = "+34611111111"
        defaults = self.env["ir.default"].with_user(self.clerk)
        for name in ("wab_recipient", "wab_person_key", "wab_new_number"):
            defaults.set("res.partner", name, stranger, user_id=True)
        defaults = self.env["ir.default"].with_user(self.manager)
        defaults.set("whatsapp.billing.template", "status", "approved", user_id=True)
        partners = self.env["res.partner"].with_user(self.clerk)
        for late in (partners, partners.sudo()):
            late = late.create({"name": "Late", "phone": "+34600000055"})
            self.env.flush_all()
            self.env.invalidate_all()
            late = late.sudo()
            self.assertEqual(late.wab_recipient, "+34600000055")
            self.assertEqual(late.wab_person_key, "+34600000055")
            self.assertFalse(late.wab_new_number)
        template = (
            self.env["whatsapp.billing.template"]
            .with_user(self.manager)
            .create(
                {
                    "name": "Mine",
                    "template_name": "mine",
                    "account_id": self.account.id,
                    "body": "Hello",
                }
            )
        )
        self.assertEqual(template.sudo().status, "draft")

    def test_page_shows_consent_and_its_history(self):
        partner = self.partner.with_user(self.clerk)
        with Form(partner) as form:
            self.assertEqual(form.wab_consent_billing, "granted")
            self.assertEqual(form.wab_consent_collections, "granted")
            self.assertEqual(form.wab_consent_marketing, "none")
            self.assertEqual(len(form.wab_consent_ids), 2)

    def test_withdrawing_by_the_dialog_keeps_who_and_how(self):
        self.record(self.partner, "billing", "withdrawn", "Called on 3 November")
        partner = self.partner.with_user(self.clerk)
        self.assertTrue(partner.wab_opted_out)
        self.assertEqual(partner.wab_consent_billing, "withdrawn")
        self.assertRecordValues(
            partner.wab_consent_ids[0],
            [
                {
                    "purpose": "billing",
                    "granted": False,
                    "source": "user",
                    "evidence": "Called on 3 November",
                    "user_id": self.clerk.id,
                }
            ],
        )
        found = (
            self.env["res.partner"]
            .with_user(self.clerk)
            .search([("wab_opted_out", "=", True)])
        )
        self.assertEqual(found, self.partner)

    def test_adding_for_many_at_once(self):
        others = self._make_customer("Luis", "+34600000002", wab_enabled=False)
        others |= self._make_customer("Eva", "+34600000003", wab_enabled=False)
        self.record(others, "billing", "granted")
        self.assertEqual(others.mapped("wab_enabled"), [True, True])
        self.assertEqual(
            others.with_user(self.clerk).mapped("wab_consent_billing"),
            ["granted", "granted"],
        )

    def test_evidence_is_needed(self):
        with self.assertRaisesRegex(UserError, "1 to 2,000 characters"):
            self.record(self.partner, "marketing", "granted", "   ")

    def test_user_without_the_group_may_not_record(self):
        user = self._make_user("nobody", "base.group_partner_manager")
        wizards = self.env["whatsapp.billing.consent.record"].with_user(user)
        with self.assertRaises(AccessError):
            wizards.create({"partner_ids": self.partner.ids, "evidence": "x"})

    def test_the_switch_alone_is_nobody_s_stop(self):
        """The ribbon says what they asked for, not what a colleague switched off."""
        partner = self.partner.with_user(self.clerk)
        partner.wab_enabled = True
        self.assertFalse(partner.wab_said_stop)
        partner.action_wab_switch_off()
        self.assertTrue(partner.wab_opted_out)
        self.assertFalse(partner.wab_said_stop)
        partner.wab_enabled = True
        self.record(partner, "billing", "withdrawn")
        self.assertTrue(partner.wab_said_stop)

    def test_no_call_ticks_the_switch_unrecorded(self):
        """What our own code marks as a merge of contacts, a call cannot say."""
        self.partner.wab_enabled = False
        before = self.partner.wab_consent_ids
        mine = self.partner.with_user(self.clerk).with_context(wab_is_merge=True)
        mine.write({"wab_enabled": True})
        told = (self.partner.wab_consent_ids - before).filtered("granted")
        self.assertEqual(set(told.mapped("purpose")), {"billing", "collections"})
        self.assertEqual(told.user_id, self.clerk)
        with self.assertRaises(AccessError):
            mine.write({"wab_recipient": "+34611111111"})

    def test_switching_on_asks_how_the_consent_is_known(self):
        """It wrote "agreed" at once, for contacts without a number too."""
        partner = self._make_customer("Luis", "+34600000002", wab_enabled=False)
        partner = partner.with_user(self.clerk)
        action = partner.action_wab_switch_on()
        wizards = self.env[action["res_model"]].with_user(self.clerk)
        form = Form(wizards.with_context(**action["context"]))
        self.assertEqual((form.purpose, form.granted), ("billing", "granted"))
        self.assertFalse(form.evidence)
        self.assertFalse(partner.wab_is_on)
        form.evidence = "Order form of 3 November"
        form.save().action_record()
        self.assertTrue(partner.wab_enabled and partner.wab_is_on)
        self.assertEqual(
            partner.wab_consent_ids.mapped("evidence"), ["Order form of 3 November"]
        )
        partner.action_wab_switch_off()
        self.assertFalse(partner.wab_is_on)
        self.assertEqual(partner.wab_consent_billing, "withdrawn")
        # On again: what they agreed to once is proposed.
        form = Form(wizards.with_context(**partner.action_wab_switch_on()["context"]))
        self.assertEqual(form.evidence, "Order form of 3 November")
        self.assertFalse(form.opted_out)
        form.save().action_record()
        self.assertTrue(partner.wab_is_on)

    def test_dialog_says_that_they_asked_to_stop(self):
        self.record(self.partner, "billing", "withdrawn", "Called on 3 November")
        action = self.partner.with_user(self.clerk).action_wab_switch_on()
        wizards = self.env[action["res_model"]].with_user(self.clerk)
        form = Form(wizards.with_context(**action["context"]))
        self.assertIn("They asked for no more messages on", form.opted_out)

    def test_contract_customer_can_be_switched_off(self):
        self.company.wab_consent_by_contract = True
        partner = self._make_customer("Luis", "+34600000002", wab_enabled=False)
        partner = partner.with_user(self.clerk)
        self.assertTrue(partner.wab_is_on)
        partner.action_wab_switch_off()
        self.assertFalse(partner.wab_is_on)
        self.assertEqual(partner.wab_tag_color, 1)

    def test_landline_gets_a_hint_instead_of_a_green_check(self):
        with Form(self.partner.with_user(self.clerk)) as form:
            self.assertIn("fa-check", form.wab_number_html)
            form.wab_number = "+34 910 000 001"
            self.assertIn("This is a landline", form.wab_number_html)
            self.assertNotIn("fa-check", form.wab_number_html)
            # In the United States nobody can tell.
            form.wab_number = "+1 212 555 2368"
            self.assertNotIn("landline", form.wab_number_html)

    def test_number_is_checked_while_typing(self):
        with Form(self.partner.with_user(self.clerk)) as form:
            self.assertIn("country_flags/es.png", form.wab_number_html)
            form.wab_number = "12"
            self.assertIn("not a valid number in Spain", form.wab_number_html)
            form.wab_number = "+351 912 345 678"
            self.assertIn("country_flags/pt.png", form.wab_number_html)
            self.assertIn("+351912345678", form.wab_number_html)

    def test_contact_opens_its_messages(self):
        invoice = self._make_invoice()
        invoice.with_user(self.clerk).wab_send()
        partner = self.partner.with_user(self.clerk)
        self.assertEqual(partner.wab_partner_message_count, 1)
        messages = self.env["whatsapp.billing.message"].with_user(self.clerk)
        domain = partner.action_wab_partner_messages()["domain"]
        self.assertEqual(messages.search(domain).res_id, invoice.id)

    def test_invoice_form_shows_its_messages(self):
        invoice = self._make_invoice()
        invoice.with_user(self.clerk).wab_send()
        with Form(invoice.with_user(self.clerk)) as form:
            self.assertEqual(form.wab_state, "queued")
            self.assertEqual(form.wab_message_count, 1)
            form.wab_enabled = False
        self.assertEqual(invoice.wab_send_override, "off")
        moves = self.env["account.move"].with_user(self.clerk)
        self.assertEqual(moves.search([("wab_state", "=", "queued")]), invoice)

    def test_user_without_the_group_opens_contact_and_invoice(self):
        user = self._make_user(
            "reader", "base.group_partner_manager,account.group_account_readonly"
        )
        invoice = self._make_invoice()
        self.assertFalse(user.has_group("whatsapp_billing.group_user"))
        with Form(self.partner.with_user(user)) as form:
            form.function = "Buyer"
        invoice.with_user(user).get_views([(False, "form"), (False, "list")])
        invoice.with_user(user).read(["name", "wab_enabled"])


@tagged("post_install", "-at_install")
class TestPortalChoice(WhatsappBillingCommon, HttpCase):
    def test_customer_can_choose_whatsapp(self):
        user = new_test_user(
            self.env,
            login="portal_ana",
            password="portal_ana",
            groups="base.group_portal",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.authenticate(user.login, user.login)
        page = self.url_open("/my/account", timeout=120)
        self.assertEqual(page.status_code, 200)
        self.assertIn('value="whatsapp_billing"', page.text)
