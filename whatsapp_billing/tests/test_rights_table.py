# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Every field and public method of ours against everybody: read, write, call.

`access_table.csv` says who may what, a line for each; the test does it. After adding a
field or a method run this test: it prints the lines that are missing, as the code
answers now. Read each as a question ("may a clerk write this?"), put the answer that is
*right* into the file, and mend the code where it says otherwise.

Cells: `r` may read, `w` may write, `c` may call (what follows may still be refused for
reasons that are no rights), empty: refused. Columns: people of our company, and those
of another one that shares the customer, all looking at a record of our company. Records
of dialogs are the manager's.
"""

import csv
import inspect
from pathlib import Path

from odoo import models
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .rights_common import GROUPS, RightsCommon

OURS = "whatsapp.billing."
MODULE = "odoo.addons.whatsapp_billing"
FILE = Path(__file__).with_name("access_table.csv")
PEOPLE = [*GROUPS, *(f"other_{name}" for name in GROUPS)]
LINE = ["kind", "model", "name", *PEOPLE]
# What Odoo's own methods are called; ours of that name only extend them.
STANDARD = frozenset(name for name in dir(models.Model) if not name.startswith("_"))
ARGUMENTS = {
    "date": "2026-12-01",
    "reason": "Because",
    "purpose": "billing",
    "evidence": "Said so",
}


@tagged("post_install", "-at_install")
class TestRightsTable(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A customer at the portal, who is shown the own invoice there.
        for name in ("portal", "other_portal"):
            cls.users[name].sudo().partner_id.parent_id = cls.partner
        cls.invoice.sudo().message_subscribe(cls.partner.ids)
        cls.records = {record._name: record for record in cls._make_records()}

    @classmethod
    def _make_records(cls):
        """Return one record of our company of each model of ours, and of others'."""
        sudo = cls.env(su=True)
        line = cls.invoice.line_ids.filtered(lambda one: one.debit)[:1]
        plan = sudo[f"{OURS}collection.plan"].create(
            {
                "name": "Plan",
                "company_id": cls.company.id,
                "step_ids": [Command.create({"days": 3, "channel": "activity"})],
            }
        )
        message = cls._make_message(
            res_model="account.move",
            res_id=cls.invoice.id,
            partner_id=cls.partner.id,
            state="failed",
            document_type="payment_reminder",
            attempt_ids=[
                Command.create({"number": 1, "kind": "pace", "outcome": "queued"})
            ],
        )
        wallet = sudo[f"{OURS}credit.wallet"]._for_company(cls.company).sudo()
        entry = sudo[f"{OURS}credit.entry"].create(
            {
                "wallet_id": wallet.id,
                "kind": "settle",
                "amount": -1,
                "message_id": message.id,
                "category": "utility",
            }
        )
        payment = sudo["account.payment"].create(
            {
                "amount": 5,
                "partner_id": cls.partner.id,
                "company_id": cls.company.id,
                "payment_type": "inbound",
                "partner_type": "customer",
            }
        )
        own = [
            cls.account,
            cls.account.phone_ids,
            sudo[f"{OURS}phone.route"].search(
                [("company_id", "=", cls.company.id)], limit=1
            ),
            cls.templates["invoice"],
            cls.templates["invoice"].variable_ids[:1],
            cls.templates["invoice"].button_ids[:1],
            message,
            message.attempt_ids,
            sudo[f"{OURS}consent"].create(
                {
                    "partner_id": cls.partner.id,
                    "company_id": cls.company.id,
                    "purpose": "marketing",
                    "granted": True,
                    "source": "user",
                    "evidence": "Said so",
                }
            ),
            sudo[f"{OURS}webhook.event"].create(
                {
                    "account_id": cls.account.id,
                    "provider": "meta",
                    "body": b"e30=",
                    "digest": "digest",
                    "app_key": "key",
                }
            ),
            sudo[f"{OURS}media"].create(
                {
                    "phone_id": cls.phone.id,
                    "checksum": "c",
                    "media_uid": "m",
                }
            ),
            plan,
            plan.step_ids,
            sudo[f"{OURS}collection.case"].create(
                {
                    "move_line_id": line.id,
                    "move_id": cls.invoice.id,
                    "debtor_id": cls.partner.id,
                    "company_id": cls.company.id,
                    "plan_id": plan.id,
                }
            ),
            sudo[f"{OURS}collection.item"].create(
                {"message_id": message.id, "move_line_id": line.id}
            ),
            sudo[f"{OURS}collection.followup"].create(
                {
                    "company_id": cls.company.id,
                    "debtor_id": cls.partner.id,
                    "day": "2026-11-30",
                }
            ),
            sudo[f"{OURS}collection.holiday"].create(
                {"name": "X", "date": "2026-12-25", "company_id": cls.company.id}
            ),
            wallet,
            entry,
            sudo[f"{OURS}credit.usage.report"].browse(entry.id),
            sudo[f"{OURS}credit.rate"].create(
                {
                    "market": "other",
                    "category": "utility",
                    "valid_from": "2030-01-01",
                    "credits": 1,
                    "company_id": cls.company.id,
                }
            ),
            sudo[f"{OURS}credit.purchase"].create({"wallet_id": wallet.id}),
        ]
        return [
            *own,
            *cls._make_dialogs(wallet),
            cls.invoice,
            line,
            payment,
            cls.partner,
            cls.company,
            sudo["ir.actions.server"].create(
                {
                    "name": "Send",
                    "model_id": sudo["ir.model"]._get("account.move").id,
                    "state": "whatsapp_billing",
                }
            ),
        ]

    @classmethod
    def _make_dialogs(cls, wallet):
        """Return what a manager has open."""
        mine = cls._as(cls.env["res.partner"], "manager").env
        enable = mine[f"{OURS}partner.enable"].create({})
        move = cls._as(cls.invoice, "manager")
        return [
            mine[f"{OURS}compose"].create(
                {"res_model": "account.move", "res_ids": move.ids}
            ),
            enable,
            mine[f"{OURS}partner.enable.line"].create(
                {
                    "wizard_id": enable.id,
                    "partner_id": cls.partner.id,
                    "result": "enabled",
                }
            ),
            mine[f"{OURS}collection.forecast"].create({"result": "goes"}),
            mine[f"{OURS}collection.answer"].create({"kind": "promise"}),
            mine[f"{OURS}collection.switch"].create(
                {
                    "plan_id": mine[f"{OURS}collection.plan"].search([], limit=1).id,
                    "stage": "dry_run",
                }
            ),
            mine[f"{OURS}consent.record"].create(
                {
                    "partner_ids": [Command.set(cls.partner.ids)],
                    "evidence": "Said so",
                }
            ),
            mine[f"{OURS}credit.adjust"].create(
                {"wallet_id": wallet.id, "amount": 1, "note": "Because"}
            ),
            mine[f"{OURS}credit.rate.import"].create(
                {"file": b"YQ==", "source": "A file"}
            ),
            mine[f"{OURS}person.erase"].create(
                {"partner_ids": [Command.set(cls.partner.ids)]}
            ),
        ]

    # --- what there is ---------------------------------------------------------------

    def _rows(self):
        """Yield (kind, model, name) of all that is ours."""
        for name in sorted(self.env.registry):
            model = self.env[name]
            if model._abstract or model._original_module.startswith("test_"):
                continue
            if not (name.startswith(OURS) or self._adds_to(name)):
                continue
            for field in sorted(model._fields):
                if self._is_our_field(model, field):
                    yield "field", name, field
            for method in sorted(self._get_methods(model)):
                yield "method", name, method

    def _adds_to(self, name):
        return any(
            cls.__module__.startswith(MODULE) for cls in self.env.registry[name].mro()
        )

    def _is_our_field(self, model, name):
        field = model._fields[name]
        if model._name.startswith(OURS):
            ours = "whatsapp_billing" in field._modules
            return field.store and ours and name not in models.MAGIC_COLUMNS
        return name.startswith("wab_")

    def _get_methods(self, model):
        found = set()
        for cls in type(model).mro():
            if cls.__module__.startswith(MODULE):
                found |= {
                    name
                    for name, value in vars(cls).items()
                    if inspect.isfunction(value)
                    and not name.startswith("_")
                    and not getattr(value, "_api_private", False)
                }
        theirs = {
            name
            for cls in type(model).mro()
            if not cls.__module__.startswith(MODULE) and not getattr(cls, "pool", None)
            for name in vars(cls)
        }
        return found - theirs - STANDARD - {"init"}

    # --- doing it --------------------------------------------------------------------

    def _cell(self, kind, record, name, user):
        """Do it; return what was not refused."""
        mine = self._as(record, user)
        if kind == "method":
            return "c" * self._call(mine, name)
        return "r" * self._read(mine, name) + "w" * self._write(mine, name)

    def _try(self, work):
        """Return whether nobody's rights refused, and undo what was done."""
        savepoint = self.env.cr.savepoint()
        try:
            work()
        except (AccessError, MissingError):
            return False
        except Exception:  # noqa: BLE001 - whatever else it is, it is no right
            return True
        finally:
            savepoint.close(rollback=True)
        return True

    def _read(self, mine, name):
        key = (mine._name, mine.env.uid, "read")
        if not self._may.setdefault(key, mine.has_access("read")):
            return False
        try:
            mine.read([name])
        except AccessError:
            return False
        return True

    def _write(self, mine, name):
        key = (mine._name, mine.env.uid, "write")
        if not self._may.setdefault(key, mine.has_access("write")):
            return False
        field = mine._fields[name]
        if field.type in ("one2many", "many2many"):
            value = []
        else:
            value = field.convert_to_write(mine.sudo()[name], mine)
        return self._try(lambda: mine.write({name: value}))

    def _call(self, mine, name):
        method = getattr(mine, name)
        wanted = [
            parameter.name
            for parameter in inspect.signature(method).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ]
        arguments = [ARGUMENTS.get(one, False) for one in wanted]
        return self._try(lambda: method(*arguments))

    # --- the test --------------------------------------------------------------------

    def _read_table(self):
        with FILE.open(newline="") as file:
            return {
                (row["kind"], row["model"], row["name"]): row
                for row in csv.DictReader(file)
            }

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    @mute_logger("odoo.addons.base.models.ir_model", "odoo.sql_db", "odoo.orm.models")
    def test_everybody_may_what_the_table_says(self):
        self._may = {}
        table = self._read_table() if FILE.exists() else {}
        rows = list(self._rows())
        missing, wrong = [], []
        for row in rows:
            kind, model, name = row
            record = self.records.get(model)
            if record is None:
                continue
            cells = {user: self._cell(kind, record, name, user) for user in PEOPLE}
            if row not in table:
                missing.append(",".join([*row, *cells.values()]))
                continue
            wrong += [
                f"{model}.{name}: {user} {cell!r}, the table says {table[row][user]!r}"
                for user, cell in cells.items()
                if cell != table[row][user]
            ]
        gone = [",".join(row) for row in table.keys() - set(rows)]
        self.assertFalse(missing, "Lines for access_table.csv:\n" + "\n".join(missing))
        self.assertFalse(wrong, "\n".join(wrong))
        self.assertFalse(gone, "Lines of what is gone:\n" + "\n".join(sorted(gone)))

    @mute_logger("odoo.models", "odoo.orm.models")
    def test_nobody_asks_by_what_they_may_not_read(self):
        """Odoo asks nothing where a method searches, or where a many2many groups."""
        asked = set()
        for kind, name, field_name in list(self._rows()):
            if kind != "field":
                continue
            field = self.env[name]._fields[field_name]
            for user in PEOPLE:
                mine = self._as(self.env[name], user)
                if not mine.has_access("read") or mine._has_field_access(field, "read"):
                    continue
                asked.add(f"{name}.{field_name}")
                asks = {}
                if field._description_searchable:
                    domain = [(field_name, "!=", False)]
                    asks["search"] = lambda m=mine, d=domain: m.search_count(d)
                if field._description_groupable(mine.env):
                    asks["group"] = lambda m=mine, f=field_name: m._read_group([], [f])
                for way, ask in asks.items():
                    with self.subTest(field=field, user=user, way=way):
                        self.assertRaises(AccessError, ask)
        self.assertIn("account.move.wab_state", asked)
        self.assertIn("account.move.wab_recipient_ids", asked)

    def test_every_model_of_ours_has_a_record_in_the_test(self):
        found = {(kind, model, name) for kind, model, name in self._rows()}
        known = set(self.records) | {
            # Dialogs of Odoo that ours extend; their rules are Odoo's.
            "account.move.send.wizard",
            "account.move.send.batch.wizard",
            "account.payment.register",
            # Administrators only, by Odoo's own check.
            "res.config.settings",
            # Rows of Odoo's whose rules are Odoo's; what we add names no message.
            "account.bank.statement.line",
            "ir.cron",
            "mail.activity",
            "mail.mail",
            "mail.message",
            "mail.notification",
            "res.users",
        }
        unknown = [row for row in found if row[1] not in known]
        self.assertFalse(unknown, "Make a record for these in _make_records.")
