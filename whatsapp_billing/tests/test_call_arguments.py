# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Wrong arguments of other programs: a sentence, never a traceback."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon

WRONG_TEMPLATES = [
    -1,
    True,
    5.5,
    2**31,
    10**30,
    "a\0b",
    "x" * 300,
    "\ud800",
    ["a"],
    {"id": 1},
    {},
    b"x",
]
# Well formed, but of no template: an answer with its reason.
UNKNOWN_TEMPLATES = ["²", "٣", "1" * 200, "no.such_id", "base.main_company", "a:b", "."]
WRONG_PARTNERS = [
    "abc",
    5,
    -1,
    True,
    5.5,
    {"a": 1},
    ["abc"],
    [True],
    [5.5],
    [0],
    [-3],
    [2**40],
    [[1]],
    [2**31 - 1],
]
WRONG_KEYS = [5, True, 5.5, "x" * 65, "a\0b", "\ud800", ["a"], {"a": 1}, b"x"]


@tagged("post_install", "-at_install")
class TestCallArguments(LifecycleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._make_invoice().with_user(cls.clerk)
        payment = cls.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": cls.partner.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        cls.payment = payment.with_user(cls.clerk)

    def methods(self, *names):
        """Return the public methods that take all of these arguments."""
        partner = self.partner.with_user(self.clerk)
        known = [
            (self.invoice.wab_send, {"template", "partners", "key"}),
            (self.invoice.wab_remind, {"template", "key"}),
            (self.payment.wab_send_receipt, {"template", "partners", "key"}),
            (partner.wab_send, {"template", "key"}),
        ]
        return [method for method, takes in known if takes >= set(names)]

    def assert_sentence(self, call, label):
        with self.subTest(label):
            with self.assertRaises(UserError) as caught:
                call()
            self.assertTrue(str(caught.exception).strip())

    def check(self, name, values):
        for method in self.methods(name):
            for value in values:
                more = {} if name == "template" else {"template": False}
                self.assert_sentence(
                    lambda m=method, v=value, more=more: m(**{**more, name: v}),
                    f"{method.__name__}({name}={value!r:.40})",
                )

    def test_templates(self):
        self.check("template", WRONG_TEMPLATES)

    def test_unknown_templates_are_answered(self):
        for method in self.methods("template"):
            for value in UNKNOWN_TEMPLATES:
                (result,) = method(template=value)
                self.assertEqual(result["reason"], "no_template", value)

    def test_partners(self):
        self.check("partners", WRONG_PARTNERS)

    def test_keys(self):
        self.check("key", WRONG_KEYS)

    def test_partner_of_another_company(self):
        other = self.env["res.company"].create({"name": "B"})
        stranger = self._make_customer("Eva", "+34600000009", company_id=other.id)
        self.clerk.company_ids += other
        invoice = self.invoice.with_context(
            allowed_company_ids=[self.company.id, other.id]
        )
        self.assert_sentence(
            lambda: invoice.wab_send(partners=stranger.ids), "another company"
        )

    def test_records(self):
        for ids in ([2**40], [-1], ["abc"], [True], [0], [5.5]):
            for model, method, args in (
                ("account.move", "wab_send", ()),
                ("account.move", "wab_remind", ()),
                ("account.payment", "wab_send_receipt", ()),
                ("res.partner", "wab_send", ("x:en",)),
                ("res.partner", "wab_opt_in", ("billing", "Said so")),
                ("res.partner", "wab_opt_out", ("billing", "Said so")),
            ):
                records = self.env[model].with_user(self.clerk).browse(ids)
                self.assert_sentence(
                    lambda r=records, m=method, a=args: getattr(r, m)(*a),
                    f"{model}.{method} of {ids}",
                )

    def test_consents(self):
        partner = self.partner.with_user(self.clerk)
        for purpose in (["billing"], {"a": 1}, 5, "sms", False, None, "a\0b"):
            self.assert_sentence(
                lambda p=purpose: partner.wab_opt_out(p, "Said so"), repr(purpose)
            )
        for evidence in ("", 5, ["x"], None, "a\0b", "\ud800", "x" * 2001):
            self.assert_sentence(
                lambda e=evidence: partner.wab_opt_out("billing", e), repr(evidence)
            )
        for key in WRONG_KEYS:
            self.assert_sentence(
                lambda k=key: partner.wab_opt_out("billing", "Said so", key=k), repr(key)
            )

    def test_what_is_left_out(self):
        for absent in (False, None, "", []):
            template = absent if absent != [] else False
            (result,) = self.invoice.wab_send(
                template=template, partners=absent, key=template
            )
            self.assertFalse(result["reason"])
