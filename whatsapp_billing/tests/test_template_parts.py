# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Templates as WhatsApp lists them: each button its value, each part known or refused.

From public reports: evolution-foundation/evo-ai-crm-community#374,
shridarpatil/whatomate#501 (buttons); nyaruka/rapidpro#5095,
Secreto31126/whatsapp-api-js#224 (parts).
"""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ..clients.whatsapp.base import TemplateInfo
from .lifecycle_common import LifecycleCommon

BODY = {
    "type": "BODY",
    "text": "Hola {{1}}, su factura {{2}} esta lista.",
    "example": {"body_text": [["Ana", "F-42"]]},
}
PAY = {
    "type": "URL",
    "text": "Pagar",
    "url": "https://odoo.example.com/{{1}}",
    "example": ["https://odoo.example.com/my/invoices/42"],
}
HELP = {
    "type": "URL",
    "text": "Ayuda",
    "url": "https://help.example.net/t/{{1}}",
    "example": ["https://help.example.net/t/F-42"],
}
THANKS = {"type": "QUICK_REPLY", "text": "Gracias"}

PARTS = [
    [{"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Solo hoy"}}],
    [{"type": "CAROUSEL", "cards": []}],
    [{"type": "HEADER", "format": "VIDEO"}],
    [{"type": "HEADER", "format": "IMAGE"}],
    [{"type": "HEADER", "format": "LOCATION"}],
    [{"type": "HEADER", "format": "PRODUCT"}],
    [{"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "text": "Copy"}]}],
    [{"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}],
    [{"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Go"}]}],
    [{"type": "BUTTONS", "buttons": [{"type": "CATALOG", "text": "See"}]}],
    [{"type": "BUTTONS", "buttons": [{"type": "MPM", "text": "See"}]}],
    [{"type": "BUTTONS", "buttons": [{"type": "ORDER_DETAILS", "text": "Pay"}]}],
    [{"type": "BUTTONS", "buttons": [{"type": "VOICE_CALL", "text": "Call"}]}],
    [{"type": "TAP_TARGET_CONFIGURATION"}],
    [{"type": "NOBODY_HAS_SEEN_THIS_YET"}],
]


@tagged("post_install", "-at_install")
class TestTemplateParts(LifecycleCommon):
    def list_template(self, components, name="listed", **values):
        """Take in an approved template as WhatsApp lists it; return ours."""
        info = TemplateInfo(
            template_uid=f"uid-{name}",
            name=name,
            lang_code="en",
            category=values.pop("category", "utility"),
            status="approved",
            raw_status="APPROVED",
            components=components,
            **values,
        )
        others = [
            TemplateInfo(
                template_uid=template.template_uid,
                name=template.template_name,
                lang_code=template.lang_code,
                category=template.category,
                status="approved",
                raw_status="APPROVED",
                components=template.remote_components,
            )
            for template in self.templates.values()
        ]
        self.account.sudo()._apply_templates([*others, info])
        return self.env["whatsapp.billing.template"].search(
            [("template_name", "=", name)]
        )

    def fill(self, template, **paths):
        """Fill in the variables: body_1="name", button_2="wab_pay_link"."""
        for variable in template.sudo().variable_ids:
            place = f"{variable.component}_{variable.position}"
            variable.field_path = paths.pop(place, "name")
        self.assertFalse(paths)
        return template

    def try_to_send(self, template):
        self.accept_everything()
        invoice = self.make_invoice_with_pdf()
        message = self.send(invoice, template=template.id)
        self.drain()
        return message

    def check_refused(self, template, *words):
        with self.assertRaises(UserError):
            template.with_user(self.manager).action_set_default()
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf(), template=template.id)
        # When it is queued already, not only before the call.
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "template_unsupported"}]
        )
        self.drain()
        self.assertFalse(self.sent_calls())
        detail = message.trace[-1]["value"]
        for word in words:
            self.assertIn(word, detail)

    # --- a value for each button ----------------------------------------------------------

    def test_each_link_has_its_own_value(self):
        buttons = {"type": "BUTTONS", "buttons": [PAY, HELP, THANKS]}
        template = self.list_template([BODY, buttons])
        self.assertEqual(
            [
                (v.component, v.position, v.sample)
                for v in template.variable_ids.sorted(lambda v: (v.component, v.position))
            ],
            [
                ("body", 1, "Ana"),
                ("body", 2, "F-42"),
                ("button", 1, "my/invoices/42"),
                ("button", 2, "F-42"),
            ],
        )
        self.fill(template, button_1="wab_pay_link", button_2="name")
        message = self.try_to_send(template)
        self.assertEqual(message.state, "sent")
        invoice = self.env["account.move"].browse(message.res_id)
        sent = self.sent_calls()[0].json["template"]["components"]
        self.assertEqual(
            [
                (part["index"], part["parameters"][0]["text"])
                for part in sent
                if part["type"] == "button"
            ],
            [
                (
                    "0",
                    f"my/invoices/{invoice.id}?access_token={invoice.access_token}",
                ),
                ("1", invoice.name),
            ],
        )

    def test_a_link_after_a_quick_reply_is_counted_among_all_buttons(self):
        buttons = {"type": "BUTTONS", "buttons": [THANKS, PAY]}
        template = self.list_template([BODY, buttons])
        self.assertEqual(
            template.variable_ids.filtered(lambda v: v.component == "button").position,
            2,
        )
        self.fill(template, button_2="wab_pay_link")
        message = self.try_to_send(template)
        self.assertEqual(message.content["buttons"][0][0], 1)

    def test_a_link_without_a_value_sends_nothing(self):
        buttons = {"type": "BUTTONS", "buttons": [PAY, HELP]}
        template = self.fill(
            self.list_template([BODY, buttons]), button_1="wab_pay_link"
        )
        template.variable_ids.filtered(
            lambda v: (v.component, v.position) == ("button", 2)
        ).sudo().field_path = False
        message = self.try_to_send(template)
        self.assertEqual(message.reason, "bad_parameter")
        self.assertFalse(self.sent_calls())

    def test_our_link_goes_into_no_other_sites_address(self):
        for number, url in enumerate(
            (
                "https://help.example.net/t/{{1}}",
                "https://odoo.example.com.evil.net/{{1}}",
                "https://odoo.example.com@evil.net/{{1}}",
                "https://odoo.example.com/web/login?redirect=https://evil.net/{{1}}",
                "http://odoo.example.com/{{1}}",
                "https://odoo.example.com:8443/{{1}}",
                "https://evil.net/?next=https://odoo.example.com/{{1}}",
            )
        ):
            with self.subTest(url=url):
                button = {"type": "BUTTONS", "buttons": [THANKS, HELP | {"url": url}]}
                template = self.list_template([BODY, button], name=f"elsewhere_{number}")
                self.fill(template, button_2="wab_pay_link")
                self.check_refused(template, "Ayuda", "without a password")
                self.assertIn(
                    "not_sendable", [problem["code"] for problem in template.problems or []]
                )

    def test_our_link_goes_into_no_text(self):
        template = self.fill(self.list_template([BODY]), body_2="wab_pay_link")
        self.check_refused(template, "button")

    def test_an_address_of_ours_remains_ours(self):
        """A login at another address moves this Odoo; what is approved goes on."""
        template = self.templates["invoice"]
        self.env["ir.config_parameter"].sudo().set_param(
            "web.base.url", "https://new.example.com"
        )
        template.variable_ids[0].sudo().field_path = "partner_id.name"
        self.assertEqual(self.try_to_send(template).state, "sent")

    def test_nobody_declares_another_address_ours(self):
        template = self.list_template([BODY, {"type": "BUTTONS", "buttons": [HELP]}])
        self.fill(template, button_1="wab_pay_link")
        button = template.with_user(self.manager).button_ids
        for name in ("own_address", "remote_value"):
            with self.assertRaises(AccessError):
                button.write({name: "https://help.example.net"})
        button.value = "{base}/{{1}}"
        self.check_refused(template, "help.example.net")

    def test_a_template_that_leads_elsewhere_meanwhile_is_stopped_before_the_call(self):
        template = self.templates["invoice"]
        message = self.send(self.make_invoice_with_pdf())
        self.assertEqual(message.state, "queued")
        components = [
            part
            if part["type"] != "BUTTONS"
            else {"type": "BUTTONS", "buttons": [HELP]}
            for part in template.remote_components
        ]
        template.sudo().remote_components = components
        self.accept_everything()
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "template_unsupported"}]
        )
        self.assertFalse(self.sent_calls())

    # --- parts ----------------------------------------------------------------------------

    def test_parts_that_are_not_filled_in_here_are_named_and_refused(self):
        for number, parts in enumerate(PARTS):
            word = parts[0].get("format") or parts[0]["type"]
            if word == "BUTTONS":
                word = parts[0]["buttons"][0]["type"]
            with self.subTest(word=word):
                template = self.list_template([BODY, *parts], name=f"part_{number}")
                self.fill(template)
                self.assertIn(word, template.unsupported or "")
                template.sudo().document_type = "invoice"
                template.sudo()._become_default()
                self.assertFalse(template.is_default)
                self.check_refused(template, word)

    def test_the_part_is_named_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("es_ES")
        template = self.list_template([BODY, PARTS[1][0]])
        self.assertIn("a carousel", template.unsupported or "")
        self.assertIn(
            "un carrusel", template.with_context(lang="es_ES").obstacle_sentence
        )

    def test_variables_with_names_are_refused_however_they_are_listed(self):
        named = BODY | {"text": "Hola {{customer}}, su factura {{ invoice }}."}
        template = self.list_template([named])
        self.assertIn("NAMED", template.unsupported or "")
        template = self.list_template([BODY], name="b", parameter_format="named")
        self.assertIn("NAMED", template.unsupported or "")

    def test_one_time_codes_and_whatsapps_own_templates_are_refused(self):
        code = self.list_template([BODY], name="code", category="authentication")
        self.check_refused(self.fill(code), "one-time codes")
        auto = self.list_template([BODY], name="auto", source="AUTO_GENERATED")
        self.check_refused(self.fill(auto), "AUTO_GENERATED")

    def test_a_default_that_gets_such_a_part_is_one_no_more(self):
        template = self.templates["invoice"]
        self.assertTrue(template.is_default)
        info = TemplateInfo(
            template_uid=template.template_uid,
            name=template.template_name,
            lang_code="en",
            category="utility",
            status="approved",
            raw_status="APPROVED",
            components=[*template.remote_components, PARTS[0][0]],
        )
        message = self.send(self.make_invoice_with_pdf())
        template._apply_remote(info)
        self.assertFalse(template.is_default)
        self.accept_everything()
        self.drain()
        self.assertEqual(message.reason, "template_unsupported")
        self.assertFalse(self.sent_calls())
        self.assertEqual(
            self.send(self._make_invoice()).reason, "no_template", "nor found again"
        )

    def test_nobody_makes_it_the_default_by_writing(self):
        template = self.fill(self.list_template([BODY, PARTS[0][0]]))
        template.sudo().document_type = "invoice"
        with self.assertRaises(ValidationError):
            template.sudo().is_default = True

    def test_a_picture_in_the_header_is_no_offer(self):
        templates = self.env["whatsapp.billing.template"].with_user(self.manager)
        kinds = templates.fields_get(["header_type"])
        self.assertNotIn("image", dict(kinds["header_type"]["selection"]))
        with self.assertRaises(ValueError):
            templates.create({"name": "X", "body": "Hello", "header_type": "image"})

    def test_such_parts_are_not_lost_by_submitting(self):
        """An edit replaces all parts: one that is not ours would be gone."""
        template = self.list_template([BODY, PARTS[1][0]]).with_user(self.manager)
        template.body = "Hola {{1}}, su factura {{2}} esta lista ya."
        template.action_submit()
        self.assertFalse(self.transport.calls)
        self.assertIn("CAROUSEL", template.status_detail)

    def test_examples_and_addresses_survive_the_way_there_and_back(self):
        buttons = {"type": "BUTTONS", "buttons": [PAY, THANKS, HELP]}
        template = self.list_template([BODY, buttons])
        self.assertEqual(
            template.button_ids.mapped("value"),
            ["{base}/{{1}}", False, "https://help.example.net/t/{{1}}"],
        )
        template.sudo().remote_components = False
        self.assertEqual(template._components(), [BODY, buttons])

    def test_variables_follow_the_only_link(self):
        template = self.list_template(
            [BODY, {"type": "BUTTONS", "buttons": [THANKS, PAY]}]
        )
        self.fill(template, button_2="wab_pay_link")
        template.sudo().write({"variable_ids": [Command.clear()]})
        template.sudo().write(
            {
                "variable_ids": [
                    Command.create(
                        {
                            "component": "button",
                            "position": 1,
                            "name": "Link",
                            "field_path": "wab_pay_link",
                            "sample": "my",
                        }
                    )
                ]
            }
        )
        self.assertEqual(list(template._get_button_variables()), [2])
        self.assertEqual(template._get_samples()["button", 2], "my")
