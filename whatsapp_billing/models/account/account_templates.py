# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""An account's templates: reading them all, and the ready ones to begin with."""

import json
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import file_open

from ...clients.errors import ClientError
from ..common.savepoint import savepoint_or_log
from ..worker.budget import Budget

_logger = logging.getLogger(__name__)

READY_FILE = "whatsapp_billing/data/ready_templates.json"
CHECK_ALL_HOURS = 24
WAITING_STATUSES = ("pending", "unknown", "deletion_pending", "paused")


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

    # === BUSINESS METHODS - READING === #

    def _apply_templates(self, infos):
        """Store all templates as the provider lists them. Called with sudo.

        :param infos: every page; what is not in it is gone
        """
        self.ensure_one()
        templates = self.env["whatsapp.billing.template"]
        by_uid, by_name = self._index_templates()
        seen = templates
        for info in infos:
            found = by_uid.get(info.template_uid) or by_name.get(
                (info.name, info.lang_code), templates
            )
            template = found or templates.create(self._prepare_template(info))
            template._apply_remote(info)
            seen += template
        gone = self._get_all_templates() - seen
        gone.filtered(lambda t: t.template_uid and t.status != "deleted").write(
            {"status": "deleted", "raw_status": False, "is_default": False}
        )
        self.last_sync_at = fields.Datetime.now()

    def _get_all_templates(self):
        return (
            self.env["whatsapp.billing.template"]
            .with_context(active_test=False)
            .search([("account_id", "=", self.id)], order="active, id")
        )

    def _index_templates(self):
        """Return our templates by id, and by name and language, of those not gone."""
        ours = self._get_all_templates()
        by_uid = {t.template_uid: t for t in ours if t.template_uid}
        by_name = {
            (t.template_name, t.lang_code): t for t in ours if t.status != "deleted"
        }
        return by_uid, by_name

    def _prepare_template(self, info):
        values = self._get_profile().templates.parse(info.components)
        return values | {
            "name": info.name.replace("_", " ").capitalize(),
            "template_name": info.name,
            "lang_code": info.lang_code,
            "account_id": self.id,
            "body": values["body"] or info.name,
        }

    # === BUSINESS METHODS - READY TEMPLATES === #

    def _copy_ready_templates(self):
        """Add drafts of the ready templates that are not there. Called with sudo."""
        self.ensure_one()
        templates = self._get_all_templates()
        names = {(t.template_name, t.lang_code) for t in templates}
        defaults = {(t.document_type, t.lang_code) for t in templates if t.is_default}
        languages = self._get_ready_languages()
        offered = self.env["whatsapp.billing.template"]._get_models_by_type()
        vals_list = []
        for ready in _read_ready():
            place = (ready["document_type"], ready["lang_code"])
            if place[0] not in offered or place[1] not in languages:
                continue
            if (ready["template_name"], place[1]) in names:
                continue
            # Reminders for several or for late invoices are chosen by their tone, not
            # as default.
            is_default = place not in defaults and not ready.get("reminder_tone")
            vals_list.append(self._prepare_ready(ready) | {"is_default": is_default})
            defaults.add(place)
        return self.env["whatsapp.billing.template"].create(vals_list)

    def _get_ready_languages(self):
        """Return the languages of the company and of those who use this database."""
        available = {ready["lang_code"] for ready in _read_ready()}
        codes = {code for code, _name in self.env["res.lang"].get_installed()}
        codes.add(self.company_id.partner_id.lang or "en_US")
        bases = {code.partition("_")[0] for code in codes}
        return {lang for lang in available if lang.partition("_")[0] in bases}

    def _prepare_ready(self, ready):
        return {
            key: value
            for key, value in ready.items()
            if key not in ("variables", "buttons")
        } | {
            "account_id": self.id,
            "variable_ids": [Command.create(values) for values in ready["variables"]],
            "button_ids": [
                Command.create(values | {"sequence": index})
                for index, values in enumerate(ready["buttons"])
            ],
        }

    # === CRON METHODS === #

    def _trigger_check(self):
        """Have the templates read soon instead of within the hour."""
        self.env.ref("whatsapp_billing.ir_cron_templates")._trigger()

    @api.model
    def _cron_templates(self):
        """Read the templates: hourly where one waits, daily everywhere."""
        text = "Nobody was warned of templates that fail"
        with savepoint_or_log(self.env, _logger, text):
            self.env["whatsapp.billing.template"]._warn_about_failures()
        due = self.search([("state", "=", "connected")]).filtered(
            lambda account: account._is_bound() and account._is_check_due()
        )
        for done, account in enumerate(due):
            remaining = len(due) - done - 1
            # What one account's provider raises is logged; the other accounts are read.
            text = "Templates of account %s not read"
            with savepoint_or_log(self.env, _logger, text, account.id):
                account._for_reader()._check_templates()
            if not self.env["ir.cron"]._commit_progress(1, remaining=remaining):
                return

    def _is_check_due(self):
        limit = fields.Datetime.now() - timedelta(hours=CHECK_ALL_HOURS)
        if not self.last_sync_at or self.last_sync_at < limit:
            return True
        return bool(
            self.env["whatsapp.billing.template"].search_count(
                [("account_id", "=", self.id), ("status", "in", WAITING_STATUSES)],
                limit=1,
            )
        )

    def _check_templates(self):
        try:
            seconds = Budget.of_run().seconds_to_call()
            infos = list(self._get_client(2, seconds).list_templates())
        except UserError:
            _logger.info("Templates of account %s not read: not ready", self.id)
        except ClientError as error:
            _logger.warning("Templates of account %s not read: %s", self.id, error)
            self._apply_account_error(error)
        else:
            self._apply_templates(infos)


def _read_ready():
    with file_open(READY_FILE, "r") as file:
        return json.load(file)
