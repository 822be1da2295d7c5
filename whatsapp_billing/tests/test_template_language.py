# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which language a customer is written to in."""

from odoo.tests import tagged

from ..models.common import labels
from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestTemplateLanguage(LifecycleCommon):
    """From nyaruka/courier#308, nyaruka/goflow#1197."""

    def language_for(self, lang, *available, company_lang="en_US"):
        """Return the language that a customer's invoice goes out in."""
        templates = self.env["whatsapp.billing.template"].sudo()
        templates.search([]).write({"is_default": False})
        for code in available:
            name = f"lang_{code.lower()}"
            found = templates.search([("template_name", "=", name)])
            if found:
                found.is_default = True
            else:
                self._make_template(self.account, "invoice", code, template_name=name)
        for code in (lang, company_lang):
            self.env["res.lang"]._activate_lang(code)
        self.company.partner_id.lang = company_lang
        self.partner.lang = lang
        return self.send(self._make_invoice()).lang_code

    def test_another_country_goes_before_another_language(self):
        self.assertEqual(self.language_for("es_MX", "es_ES", "en_US"), "es_ES")
        self.assertEqual(self.language_for("pt_PT", "pt_BR", "en_US"), "pt_BR")
        self.assertEqual(self.language_for("fr_FR", "fr_CA", "en_US"), "fr_CA")

    def test_the_nearest_country_goes_first(self):
        self.assertEqual(self.language_for("es_MX", "es_ES", "es_AR"), "es_AR")
        self.assertEqual(self.language_for("es_MX", "es_ES", "es_AR", "es"), "es")

    def test_another_script_is_another_language(self):
        self.assertEqual(self.language_for("zh_TW", "zh_CN", "en_US"), "en_US")

    def test_the_companys_language_comes_last_from_any_country(self):
        self.assertEqual(
            self.language_for("eu_ES", "es_AR", "fr", company_lang="es_ES"), "es_AR"
        )

    def test_a_language_is_named_with_its_country_in_capitals(self):
        self.assertEqual(
            labels.language(self.env, "en_US"), "English (United States)"
        )
        spanish = self.env["res.lang"]._activate_lang("es_ES") and self.env(
            context={"lang": "es_ES"}
        )
        self.assertEqual(labels.language(spanish, "pt_BR"), "Portugués (Brasil)")
