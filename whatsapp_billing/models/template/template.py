# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A template, and which one is used when nobody names one."""

import re

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError

from ... import const
from ...rules import languages, template_check
from ..common import labels

VERSION = re.compile(r"_v(\d+)$")

# Fields that WhatsApp reviews; all others can be changed at any time.
REVIEWED_FIELDS = {
    "account_id",
    "template_name",
    "lang_code",
    "category",
    "header_type",
    "header_text",
    "body",
    "footer",
}

# Fields that WhatsApp reports; only the system writes them.
PROVIDER_FIELDS = {
    "status",
    "status_detail",
    "raw_status",
    "raw_category",
    "category_changed",
    "rejected_reason",
    "quality",
    "template_uid",
    "remote_components",
    "unsupported_parts",
    "obstacle",
    "text_digest",
    "has_unsent_changes",
    "last_checked_at",
    "remote_time",
    "edited_at",
}

EDITABLE_STATUSES = ("draft", "approved", "rejected", "paused")

# States in which a template will not be sent any more: it counts as no default.
GONE = ("rejected", "disabled", "deletion_pending", "deleted")


class WhatsappBillingTemplate(models.Model):
    """One template in one language.

    It is what WhatsApp says it is: matched to the remote one by id, then by name and
    language; sent only when approved; its category is WhatsApp's word, cached. What
    the provider says is written with sudo (`template_submit.py`).
    """

    _name = "whatsapp.billing.template"
    _description = "WhatsApp Template"
    _inherit = [
        "whatsapp.billing.rights.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _system_fields = frozenset(
        {
            "raw_category",
            "status",
            "status_detail",
            "raw_status",
            "rejected_reason",
            "quality",
            "template_uid",
            "remote_components",
            "unsupported",
            "has_unsent_changes",
            "last_checked_at",
            "remote_time",
            "edited_at",
        }
    )
    _order = "document_type, template_name, lang_code, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    account_id = fields.Many2one(
        "whatsapp.billing.account",
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.company.sudo().wab_account_id,
    )
    company_id = fields.Many2one(
        "res.company",
        index=True,
        compute="_compute_company_id",
        store=True,
        readonly=False,
        help="Leave empty to share the template between companies.",
    )
    template_name = fields.Char(
        string="Name at WhatsApp",
        required=True,
        index=True,
        compute="_compute_template_name",
        store=True,
        readonly=False,
        precompute=True,
        help="Small letters, digits and underscores.",
    )
    lang_code = fields.Char(string="Language Code", required=True, default="en")
    lang_choice = fields.Selection(
        "_get_languages",
        string="Language",
        compute="_compute_lang_choice",
        inverse="_inverse_lang_choice",
    )
    category = fields.Selection(
        const.CATEGORIES, required=True, default="utility", tracking=True
    )
    raw_category = fields.Char(copy=False, readonly=True)
    category_changed = fields.Boolean(copy=False, readonly=True)
    document_type = fields.Selection("_get_document_types", index=True)
    model = fields.Char(compute="_compute_model", string="Document Model")
    header_type = fields.Selection(
        [
            ("none", "None"),
            ("text", "Text"),
            ("document", "Document (PDF)"),
        ],
        required=True,
        default="none",
    )
    header_text = fields.Char()
    body = fields.Text(required=True)
    footer = fields.Char()
    variable_ids = fields.One2many(
        "whatsapp.billing.template.variable", "template_id", copy=True
    )
    button_ids = fields.One2many(
        "whatsapp.billing.template.button", "template_id", copy=True
    )
    status = fields.Selection(
        const.TEMPLATE_STATUSES,
        required=True,
        default="draft",
        copy=False,
        readonly=True,
        index=True,
        tracking=True,
    )
    status_detail = fields.Text(copy=False, readonly=True)
    raw_status = fields.Char(copy=False, readonly=True)
    rejected_reason = fields.Char(copy=False, readonly=True)
    quality = fields.Char(copy=False, readonly=True, tracking=True)
    quality_label = fields.Char(string="Rating", compute="_compute_quality_label")
    template_uid = fields.Char(
        string="Template ID", copy=False, readonly=True, index="btree_not_null"
    )
    remote_components = fields.Json(copy=False, readonly=True)
    has_unsent_changes = fields.Boolean(copy=False, readonly=True)
    last_checked_at = fields.Datetime(copy=False, readonly=True)
    remote_time = fields.Integer(copy=False, readonly=True)
    edited_at = fields.Json(copy=False, readonly=True)
    problems = fields.Json(compute="_compute_problems")

    _remote_unique = models.UniqueIndex(
        "(account_id, template_name, lang_code) WHERE active AND status != 'deleted'",
        "This account already has a template with this name and language.",
    )
    _uid_unique = models.UniqueIndex(
        "(account_id, template_uid) WHERE template_uid IS NOT NULL",
        "This template is already known.",
    )
    is_default = fields.Boolean(string="Default", copy=False)
    _default_unique = models.UniqueIndex(
        "(account_id, document_type, lang_code) WHERE is_default",
        "There is already a default template for this document and language.",
    )
    default_question = fields.Char(compute="_compute_default_question")

    # === COMPUTE METHODS === #

    @api.depends("account_id")
    def _compute_company_id(self):
        for template in self:
            template.company_id = template.account_id.company_id

    @api.depends("name")
    def _compute_template_name(self):
        for template in self:
            if not template.template_name and template.name:
                words = re.sub(r"[^a-z0-9]+", "_", template.name.lower()).strip("_")
                template.template_name = words or "template"

    @api.model
    def _get_languages(self):
        names = [
            (code, labels.language(self.env, code)) for code in languages.META_LANGUAGES
        ]
        return sorted(names, key=lambda name: name[1])

    @api.depends("lang_code")
    def _compute_lang_choice(self):
        for template in self:
            known = template.lang_code in languages.META_LANGUAGES
            template.lang_choice = template.lang_code if known else False

    def _inverse_lang_choice(self):
        for template in self.filtered("lang_choice"):
            template.lang_code = template.lang_choice

    @api.depends("quality")
    def _compute_quality_label(self):
        for template in self:
            template.quality_label = labels.quality(self.env, template.quality)

    @api.model
    def _get_document_types(self):
        """Return what a template can be for: only what some module here can send."""
        models_by_type = self._get_models_by_type()
        labels = self.env["whatsapp.billing.message"]._fields["document_type"]
        return [
            (value, label)
            for value, label in labels._description_selection(self.env)
            if value in models_by_type
        ]

    @api.model
    @tools.ormcache()
    def _get_models_by_type(self):
        return self.env["whatsapp.billing.document.mixin"]._wab_models_by_type()

    @api.depends("document_type")
    def _compute_model(self):
        models_by_type = self._get_models_by_type()
        for template in self:
            template.model = models_by_type.get(template.document_type, False)

    @api.depends("name", "lang_code")
    def _compute_display_name(self):
        for template in self:
            template.display_name = (
                f"{template.name} ({template.lang_code})"
                if template.name
                else self.env._("New")
            )

    @api.depends(
        "template_name",
        "category",
        "document_type",
        "header_type",
        "header_text",
        "body",
        "footer",
        "button_ids.kind",
        "button_ids.text",
        "button_ids.value",
        "button_ids.sequence",
        "variable_ids.component",
        "variable_ids.position",
        "variable_ids.sample",
        "variable_ids.field_path",
        "obstacle_sentence",
    )
    @api.depends_context("lang")
    def _compute_problems(self):
        for template in self:
            found = [
                {
                    "code": problem.code,
                    "component": problem.component,
                    "severity": problem.severity,
                    "message": self.env._(problem.message_template, **problem.params),
                }
                for problem in template_check.check(template._to_content())
            ]
            template.problems = [*template._get_sending_problems(), *found]

    @api.depends("status", "is_default", "document_type", "lang_code", "obstacle")
    @api.depends_context("lang")
    def _compute_default_question(self):
        """Ask whether an approved template should be used by itself."""
        for template in self:
            asks = (
                template.status == "approved"
                and not template.is_default
                and not template._get_default_problem()
                and template._is_for_any_document()
            )
            template.default_question = asks and template._ask_default()

    # === CONSTRAINT METHODS === #

    @api.constrains("template_name")
    def _check_template_name(self):
        for template in self:
            if not re.fullmatch(r"[a-z0-9_]{1,512}", template.template_name or ""):
                raise ValidationError(
                    self.env._(
                        "The name at WhatsApp may only have small letters, digits and"
                        " underscores: %(name)s",
                        name=template.template_name,
                    )
                )

    @api.constrains("document_type")
    def _check_document_type(self):
        """Refuse what is not offered: Odoo checks only lists that are fixed."""
        offered = self._get_models_by_type()
        for template in self.filtered("document_type"):
            if template.document_type not in offered:
                raise ValidationError(
                    self.env._(
                        "Nothing here sends documents of the kind “%(kind)s”, so a"
                        " template for them would never be used.",
                        kind=template.document_type,
                    )
                )

    @api.constrains("account_id", "company_id")
    def _check_account_company(self):
        for template in self:
            company = template.account_id.company_id
            if template.company_id and company and template.company_id != company:
                raise ValidationError(
                    self.env._(
                        "%(name)s belongs to an account of %(company)s.",
                        name=template.name,
                        company=company.name,
                    )
                )

    @api.constrains("is_default", "document_type")
    def _check_default(self):
        for template in self.filtered("is_default"):
            problem = template._get_default_problem()
            if problem:
                raise ValidationError(problem)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Take the language from what the form offers; make room for new defaults."""
        prepared = []
        for vals in vals_list:
            self._check_no_providers_word(vals)
            # The form sends `lang_choice`, which the user chose, and the default of
            # `lang_code`.
            language = vals.get("lang_choice") or vals.get("lang_code", "en")
            vals = vals | {"lang_code": language, "is_default": False}
            vals.pop("lang_choice", None)
            prepared.append(vals)
        templates = super().create(prepared)
        for template, vals in zip(templates, vals_list, strict=True):
            if vals.get("is_default"):
                template.is_default = True
        return templates

    def write(self, vals):
        """Keep reviewed parts as WhatsApp has them, except where it allows an edit.

        A new default takes the place of the old one; an archived template is none.
        """
        self._check_no_providers_word(vals)
        if vals.get("is_default"):
            self._replace_defaults()
        if vals.get("active") is False:
            vals = vals | {"is_default": False}
        reviewed = REVIEWED_FIELDS & vals.keys()
        if reviewed and not self.env.su:
            self._check_editable(reviewed)
            self._forget_refusal()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_remote(self):
        for template in self:
            if template.template_uid and template.status != "deleted":
                raise UserError(
                    self.env._(
                        "WhatsApp still has %(name)s. Press Delete on its form to ask"
                        " WhatsApp to delete it, or archive it here.",
                        name=template.name,
                    )
                )

    def copy_data(self, default=None):
        """Give each copy the next free version of its name."""
        default = dict(default or {})
        vals_list = super().copy_data(default)
        for template, vals in zip(self, vals_list, strict=True):
            if "template_name" not in default:
                vals["template_name"] = template._get_next_name()
            if "name" not in default:
                vals["name"] = self.env._("%(name)s (copy)", name=template.name)
        return vals_list

    def _get_next_name(self):
        """Return the name with the next free version: invoice, invoice_v2, ...

        WhatsApp blocks the name of a deleted template for 30 days, so names of
        deleted ones count as taken.
        """
        self.ensure_one()
        base = VERSION.sub("", self.template_name)
        # sudo: whatsapp.billing.template - names are taken whoever can see them
        taken = (
            self.sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("account_id", "=", self.account_id.id),
                    ("template_name", "=like", base.replace("_", r"\_") + "%"),
                ]
            )
        )
        numbers = [1] + [
            int(match[1])
            for name in taken.mapped("template_name")
            if (match := VERSION.search(name)) and VERSION.sub("", name) == base
        ]
        return f"{base}_v{max(numbers) + 1}"

    def _check_no_providers_word(self, vals):
        """Stop people, and programs in their name, from speaking for WhatsApp."""
        names = PROVIDER_FIELDS & vals.keys()
        if names and not self.env.su:
            labels = (self._fields[n]._description_string(self.env) for n in names)
            raise AccessError(
                self.env._(
                    "Only WhatsApp's own news changes this of a template: %(names)s.",
                    names=", ".join(sorted(labels)),
                )
            )

    def _check_editable(self, names):
        """Stop changes that WhatsApp would not take over."""
        for template in self:
            if template.status not in EDITABLE_STATUSES:
                raise UserError(
                    self.env._(
                        "WhatsApp does not let anybody change %(name)s while it is"
                        " “%(status)s”. Make a new version instead.",
                        name=template.name,
                        status=template._get_status_label(),
                    )
                )
            fixed = {"account_id", "template_name", "lang_code"} & set(names)
            if template.status == "approved":
                fixed |= {"category"} & set(names)
            if template.template_uid and fixed:
                raise UserError(
                    self.env._(
                        "Name, language and, once approved, category stay as they are"
                        " at WhatsApp. Make a new version of %(name)s instead.",
                        name=template.name,
                    )
                )
        remote = self.filtered("template_uid")
        if remote and not all(template.has_unsent_changes for template in remote):
            # sudo: whatsapp.billing.template - a note for the next synchronisation
            remote.sudo().write({"has_unsent_changes": True})

    def _forget_refusal(self):
        """Stop showing why the last press did not work: the template is another now."""
        # sudo: whatsapp.billing.template - the provider's word, taken back
        self.sudo().filtered("status_detail").status_detail = False

    @api.onchange(
        *("name", "category", "document_type", "header_type", "header_text", "body"),
        *("footer", "variable_ids", "button_ids"),
    )
    def _onchange_reviewed(self):
        self.status_detail = False

    def _get_status_label(self):
        labels = dict(self._fields["status"]._description_selection(self.env))
        return labels[self.status]

    # === ACTION METHODS === #

    def action_set_default(self):
        """Use this template for its document and language unless told otherwise."""
        for template in self:
            problem = template._get_default_problem()
            if problem:
                raise UserError(problem)
            template.is_default = True
        return True

    # === BUSINESS METHODS === #

    def _to_content(self):
        """Return the template as the rules look at it, addresses filled in."""
        self.ensure_one()
        return template_check.TemplateContent(
            name=self.template_name or "",
            category=self.category or "",
            header_type=self.header_type or "none",
            header_text=self.header_text or "",
            has_file=self._has_file(),
            body=self.body or "",
            footer=self.footer or "",
            buttons=tuple(
                template_check.ButtonContent(
                    kind=button.kind or "",
                    text=button.text or "",
                    value=button._get_value(),
                )
                for button in self.button_ids.sorted("sequence")
            ),
            samples=self._get_samples(),
        )

    def _get_sending_problems(self):
        """Return what keeps messages from going, which WhatsApp may well approve."""
        sentences = [self.obstacle_sentence]
        if self.model in self.env:
            sentences.append(self._get_misfit(self.model))
        return [
            {
                "code": "not_sendable",
                "component": "template",
                "severity": "error",
                "message": sentence,
            }
            for sentence in sentences
            if sentence
        ]

    def _has_file(self):
        """Tell whether what this template is for has a file; True where it is open."""
        model = self.env.get(self.model or "")
        return model is None or model._wab_has_file(self.document_type)

    def _get_samples(self):
        """Return {(component, position): example}; of a button, by its place."""
        samples = {
            (variable.component, variable.position): variable.sample or ""
            for variable in self.variable_ids
        }
        links = [
            place
            for place, button in enumerate(self.button_ids.sorted("sequence"), start=1)
            if "{{" in (button.value or "")
        ]
        given = [place for component, place in samples if component == "button"]
        if len(links) == len(given) == 1:
            # With one link and one variable they belong together, wherever the button
            # stands.
            samples["button", links[0]] = samples["button", given[0]]
        return samples

    def _get_default_problem(self):
        """Return why nothing would go with this template by itself, "" if it would."""
        if not self.document_type:
            return self.env._(
                "Choose what %(name)s is for before making it the default.",
                name=self.name,
            )
        return self.obstacle_sentence or ""

    def _is_for_any_document(self):
        """Tell whether it fits every document of its type; overridden by reminders."""
        return True

    def _ask_default(self):
        other = self.search(
            [
                ("is_default", "=", True),
                ("account_id", "=", self.account_id.id),
                ("document_type", "=", self.document_type),
                ("lang_code", "=", self.lang_code),
            ],
            limit=1,
        )
        if not other:
            return self.env._(
                "Approved, but not used by itself. Press Make Default to use it"
                " wherever nobody chooses a template."
            )
        return self.env._(
            "Approved. Wherever nobody chooses a template, %(other)s is used. Press Make"
            " Default to use this one from now on.",
            other=other.display_name,
        )

    def _replace_defaults(self):
        """Take the default from the templates that have it now."""
        for template in self:
            # sudo: whatsapp.billing.template - the default is one per account
            template.sudo().search(
                [
                    ("id", "!=", template.id),
                    ("is_default", "=", True),
                    ("account_id", "=", template.account_id.id),
                    ("document_type", "=", template.document_type),
                    ("lang_code", "=", template.lang_code),
                ]
            ).write({"is_default": False})
            # The unique index is checked at each statement: the old default is written
            # first.
            template.flush_model(["is_default"])

    @api.model
    def _find_default(self, account, document_type, langs):
        """Return the default template of the first of these languages that has one.

        One that may be sent goes before one that still waits for approval; the latter
        is returned so that the reason can be named.

        :param langs: codes as WhatsApp writes them, the best first
        """
        # sudo: whatsapp.billing.template - a shared one may be of another company
        defaults = self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("active", "=", True),
                ("document_type", "=", document_type),
                ("lang_code", "in", list(langs)),
                ("is_default", "=", True),
                ("obstacle", "=", False),
            ]
        )
        send_request = {lang: index for index, lang in enumerate(langs)}
        found = defaults.sorted(
            key=lambda t: (t.status != "approved", send_request[t.lang_code])
        )
        return found[:1].with_env(self.env)

    def _become_default(self):
        """Make an approved template the default where there is none yet. With sudo.

        Which of two goes out by itself is for people to say: the form asks them.
        """
        if self.is_default or self._get_default_problem():
            return
        if not self.search_count(
            [
                ("account_id", "=", self.account_id.id),
                ("document_type", "=", self.document_type),
                ("lang_code", "=", self.lang_code),
                ("is_default", "=", True),
                ("status", "not in", GONE),
            ],
            limit=1,
        ):
            self.is_default = True
            self.message_post(
                body=self.env._(
                    "From now on this template is used for this kind of document in"
                    " this language, because no other was chosen."
                )
            )
