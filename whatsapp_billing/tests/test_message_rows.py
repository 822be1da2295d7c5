# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""One producer of message rows: whoever asks, and however they are written."""

from contextlib import contextmanager
from unittest.mock import patch

from freezegun import freeze_time

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.common import sql_bulk
from ..models.message.message_enqueue import as_sanitized, quote_html
from ..rules import answers
from .collection_common import CollectionCommon

MESSAGE, LINE = "whatsapp.billing.message", "mail.message"
# What is another one in each row.
OWN = {"id", "uuid", "mail_message_id", "message_id"}


class RowsCommon(CollectionCommon):
    @contextmanager
    def copied(self, few=0):
        """Have more rows than so many written by COPY; yields the models of them."""
        models, insert = [], sql_bulk.insert

        def spy(env, model, rows, *args):
            models.append(model)
            return insert(env, model, rows, *args)

        with patch.object(sql_bulk, "FEW", few), patch.object(sql_bulk, "insert", spy):
            yield models

    def read_rows(self, model, ids):
        """Return the columns of records, without what is each one's own."""
        self.env.flush_all()
        table = self.env[model]._table
        self.env.cr.execute(
            SQL("SELECT * FROM %s WHERE id = ANY(%s)", SQL.identifier(table), list(ids))
        )
        rows = {row["id"]: row for row in self.env.cr.dictfetchall()}
        return [
            {name: value for name, value in rows[record_id].items() if name not in OWN}
            for record_id in ids
        ]

    def send(self, invoices):
        """Press Send on these invoices; return the messages in their order."""
        action = invoices.with_user(self.clerk).action_wab_compose()
        composer = self.env[action["res_model"]].with_user(self.clerk)
        composer.browse(action["res_id"]).action_send()
        messages = self.messages.search(
            [("res_id", "in", invoices.ids)], order="id desc", limit=len(invoices)
        )
        return messages.sorted("res_id")

    def remind(self, invoices):
        """Let the nightly run remind of these; return the messages in their order."""
        self.followups.search([]).unlink()
        self.cases.search([]).write({"last_date": False, "last_step_days": False})
        self.cases.search([]).write(
            {"next_check_date": "1970-01-01", "next_date": False}
        )
        self.run_plan()
        return self.reminders().filtered(lambda m: m.res_id in invoices.ids)[
            -len(invoices) :
        ]

    def make_customers(self, count):
        return [
            self._make_customer(f"Customer {n}", f"+3460000010{n}")
            for n in range(count)
        ]


@tagged("post_install", "-at_install")
class TestRowsAreTheSame(RowsCommon):
    """A row that COPY wrote is the row that the ORM would have written."""

    def assert_same_rows(self, make):
        with freeze_time(fields.Datetime.now()):
            with self.copied(few=1000) as by_orm:
                one = make()
            with self.copied() as by_copy:
                other = make()
        self.assertFalse({MESSAGE, LINE} & set(by_orm))
        self.assertLessEqual({MESSAGE, LINE}, set(by_copy))
        self.assertFalse(one & other)
        self.assertEqual(one.mapped("state"), other.mapped("state"))
        for model, first, second in (
            (MESSAGE, one, other),
            (LINE, one.mail_message_id, other.mail_message_id),
        ):
            self.assertEqual(len(first), len(second))
            for a, b in zip(
                self.read_rows(model, first.ids),
                self.read_rows(model, second.ids),
                strict=True,
            ):
                self.assertEqual(a, b)

    def test_pressing_send(self):
        invoices = self.env["account.move"]
        for partner in self.make_customers(3):
            partner.name = "A & <b>B</b>\\N \t Ñandú"
            invoices |= self._make_invoice(partner)
        self.assert_same_rows(lambda: self.send(invoices))

    def test_reminders_of_the_night(self):
        invoices = self.env["account.move"]
        for partner in self.make_customers(2):
            invoices |= self.make_due(3, partner)
        self.assert_same_rows(lambda: self.remind(invoices))

    def test_line_is_what_odoo_writes(self):
        invoice = self._make_invoice()
        for few in (1000, 0):
            with freeze_time(fields.Datetime.now()), self.copied(few):
                line = self.send(invoice).mail_message_id
                cores = invoice.with_user(self.clerk)._message_log_batch(
                    {invoice.id: line.body}
                )
            ours, theirs = (
                self.read_rows(LINE, found.ids)[0] for found in (line, cores)
            )
            self.assertEqual(ours, theirs)

    def test_texts_are_stored_as_odoo_sanitizes_them(self):
        """Who searches the chatter for O'Neil finds them."""
        field = self.env[LINE]._fields["body"]
        for text in (
            "",
            'O\'Neil "&" <b>Sons</b> &amp; &copy; 5\xa0€',
            "*bold* _it's_ ~\"x\"~ `co'de` ```bl\nock```\n\nnew  line\n",
            "https://example.com/?a=b&c='d'",
            "<script>alert('x')</script>",
            "Ñandú … « » \u202f \u200b \u2028 😀",
        ):
            quoted = quote_html("WhatsApp to +34600000001", text)
            sanitized = field.convert_to_column_insert(quoted, self.env[LINE])
            self.assertEqual(as_sanitized(quoted), sanitized)

    def test_a_page_that_is_open_shows_new_messages(self):
        invoice = self._make_invoice()
        self.assertFalse(invoice.wab_message_ids)
        self.assertFalse(invoice.wab_state)
        lines = invoice.message_ids
        with self.copied():
            message = self.send(invoice)
        self.assertEqual(invoice.wab_message_ids, message)
        self.assertEqual(invoice.wab_state, "queued")
        self.assertEqual(invoice.message_ids - lines, message.mail_message_id)

    def test_automation_rules_see_every_row(self):
        """COPY would pass by whoever has a say in `create`."""
        rules = self.env["base.automation"]
        self.addCleanup(rules._unregister_hook)
        for model in (MESSAGE, LINE):
            rules.create(
                {
                    "name": model,
                    "model_id": self.env["ir.model"]._get_id(model),
                    "trigger": "on_create",
                    "action_server_ids": [
                        Command.create(
                            {
                                "name": model,
                                "model_id": self.env["ir.model"]._get_id(model),
                                "state": "code",
                                "code": "env['res.partner.category'].create("
                                f"[{{'name': '{model}'}} for r in records])",
                            }
                        )
                    ],
                }
            )
        invoices = self._make_invoice() | self._make_invoice()
        with self.copied() as models:
            self.send(invoices)
        self.assertFalse({MESSAGE, LINE} & set(models))
        for model in (MESSAGE, LINE):
            tags = self.env["res.partner.category"].search([("name", "=", model)])
            self.assertEqual(len(tags), 2, model)


@tagged("post_install", "-at_install")
class TestColumnsOfOtherModules(RowsCommon):
    """Another module adds columns to the two tables: nothing of ours stops."""

    def setUp(self):
        super().setUp()
        self.invoice = self.make_due(2)
        self.env.flush_all()
        for name in (MESSAGE, LINE):
            self.add_module(name)
            table = SQL.identifier(self.env[name]._table)
            for column in ("x_ledger varchar NOT NULL DEFAULT 'old'", "x_size int4"):
                self.env.cr.execute(SQL("ALTER TABLE %s ADD " + column, table))
            self.env.cr.execute(
                SQL("ALTER TABLE %s ALTER x_ledger DROP DEFAULT", table)
            )
        self.set_up_models()

    def add_module(self, name):
        """Extend a model as a module does that is installed besides."""

        class Ledger(models.Model):
            _module = None
            _name = name
            _inherit = [name]

            x_ledger = fields.Char(
                required=True, default=lambda self: f"of {self._name}"
            )
            x_size = fields.Integer(compute="_compute_x_size", store=True)

            @api.depends("body")
            def _compute_x_size(self):
                for record in self:
                    record.x_size = len(record.body or "")

        model = self.registry[name]
        bases = model._base_classes__
        from odoo.orm.model_classes import add_to_registry  # as Odoo's own tests do

        add_to_registry(self.registry, Ledger)
        self.addCleanup(self.remove_module, model, bases)

    def remove_module(self, model, bases):
        model._base_classes__ = bases
        self.set_up_models()

    def set_up_models(self):
        self.registry._setup_models__(self.env.cr, [MESSAGE, LINE])

    def assert_filled_in(self, messages):
        self.env.flush_all()
        for model, records in (
            (MESSAGE, messages),
            (LINE, messages.mail_message_id),
        ):
            self.assertTrue(records)
            self.env.cr.execute(
                SQL(
                    "SELECT x_ledger, x_size > 0 FROM %s WHERE id = ANY(%s)",
                    SQL.identifier(records._table),
                    records.ids,
                )
            )
            self.assertEqual(set(self.env.cr.fetchall()), {(f"of {model}", True)})

    def test_pressing_send(self):
        for few in (1000, 0):
            with self.copied(few):
                self.assert_filled_in(self.send(self.invoice))

    def test_the_night(self):
        for few in (1000, 0):
            with self.copied(few):
                self.assert_filled_in(self.remind(self.invoice))

    def test_an_answer(self):
        self.accept_everything()
        self.run_plan()
        self.drain()
        reminder = self.reminders()
        for number, few in enumerate((1000, 0)):
            with self.copied(few):
                self.receive_text(
                    "",
                    wamid=f"wamid.tap{number}",
                    type="button",
                    button={
                        "payload": answers.payload("promise", reminder.uuid),
                        "text": "...",
                    },
                    context={"from": "34910000001", "id": reminder.wamid},
                )
            self.assert_filled_in(
                self.messages.search([("method", "=", "answer")], limit=1)
            )
