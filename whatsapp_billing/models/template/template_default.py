# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which template is used when nobody names one."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

# A default in one of these states will send nothing any more.
GONE = ("rejected", "disabled", "deletion_pending", "deleted")


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    is_default = fields.Boolean(string="Default", copy=False)

    _default_unique = models.UniqueIndex(
        "(account_id, document_type, lang_code) WHERE is_default",
        "There is already a default template for this document and language.",
    )

    default_question = fields.Char(compute="_compute_default_question")

    # === COMPUTE METHODS === #

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

    @api.constrains("is_default", "document_type")
    def _check_default(self):
        for template in self.filtered("is_default"):
            problem = template._get_default_problem()
            if problem:
                raise ValidationError(problem)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Make room for new defaults."""
        defaults = [bool(vals.get("is_default")) for vals in vals_list]
        templates = super().create([vals | {"is_default": False} for vals in vals_list])
        for template, is_default in zip(templates, defaults, strict=True):
            if is_default:
                template.is_default = True
        return templates

    def write(self, vals):
        """Make room for a new default; an archived template is none."""
        if vals.get("is_default"):
            self._replace_defaults()
        if vals.get("active") is False:
            vals = vals | {"is_default": False}
        return super().write(vals)

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
            # The index looks at every statement: the old one goes first.
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
