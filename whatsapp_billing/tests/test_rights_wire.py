# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What anybody with a login may try over the wire, by ids that are guessed."""

import json

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ..models.document.ir_actions_report import MARK, DocumentMark
from .collection_common import CollectionCommon
from .rights_common import GROUPS, RightsCommon

WORDS = "xyzzy for you only"


@tagged("post_install", "-at_install")
class TestGuessedIds(CollectionCommon, RightsCommon, HttpCase):
    def _call(self, route, **params):
        answer = self.url_open(
            route,
            data=json.dumps({"jsonrpc": "2.0", "params": params}).encode(),
            headers={"Content-Type": "application/json"},
        )
        return answer.json()

    def _get_line(self):
        self.receive_text(WORDS)
        lines = self.env["mail.message"].sudo()
        return lines.search([("wab_company_id", "=", self.company.id)], limit=1)

    def test_only_administrators_run_crons(self):
        """Odoo lets everybody with a login run a server action without groups."""
        crons = self.env["ir.cron"].sudo().with_context(active_test=False)
        ours = self.env["ir.model.data"].sudo()
        ours = ours.search(
            [("module", "=", "whatsapp_billing"), ("model", "=", "ir.cron")]
        )
        actions = crons.browse(ours.mapped("res_id")).ir_actions_server_id
        self.assertGreater(len(actions), 8)
        self.env.flush_all()
        for action in actions:
            for name in self.users:
                with (
                    self.subTest(action=action.name, user=name),
                    self.assertRaises(AccessError),
                ):
                    action.with_user(self.users[name]).run()

    def test_nobody_sends_what_waits_by_running_the_cron(self):
        message = self.send(self.make_invoice_with_pdf())
        self.env.flush_all()
        action = self.env.ref("whatsapp_billing.ir_cron_outbox").ir_actions_server_id
        for name in ("portal", "internal", "manager"):
            user = self.users[name]
            self.authenticate(user.login, user.login)
            with self.subTest(user=name):
                answer = self._call("/web/action/run", action_id=action.id, context={})
                self.assertIn("error", answer)
        self.env.invalidate_all()
        self.assertEqual(message.state, "queued")
        self.assertFalse(self.sent_calls())

    def test_nothing_of_a_line_or_file_is_read_by_its_id(self):
        line = self._get_line()
        message = self.messages.search([("direction", "=", "in")], limit=1)
        file = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": "f.txt",
                    "raw": WORDS.encode(),
                    "res_model": message._name,
                    "res_id": message.id,
                }
            )
        )
        event = self.events.search([], limit=1)
        self.env.flush_all()
        for name in ("portal", "internal", "sender", "clerk", "other_manager"):
            user = self.users[name]
            self.authenticate(user.login, user.login)
            for url in (
                f"/web/content/{file.id}",
                f"/web/image/{file.id}",
                f"/web/content/{event._name}/{event.id}/body",
            ):
                with self.subTest(user=name, url=url):
                    answer = self.url_open(url)
                    self.assertNotIn(WORDS, answer.text)
                    self.assertNotIn(event.body.decode()[:40], answer.text)
            thread = {"thread_model": "res.partner", "thread_id": self.partner.id}
            for route, params in (
                ("/mail/thread/messages", thread),
                (
                    "/mail/thread/messages",
                    thread | {"fetch_params": {"search_term": "xyzzy"}},
                ),
                (
                    "/mail/message/update_content",
                    {"message_id": line.id, "update_data": {"body": "forged"}},
                ),
            ):
                with self.subTest(user=name, route=route):
                    self.assertNotIn("xyzzy", json.dumps(self._call(route, **params)))
        self.env.invalidate_all()
        self.assertIn(WORDS, line.body)

    def test_no_call_opens_the_server_s_files_to_what_is_printed(self):
        """`/report/pdf` takes any context from anybody with a login."""
        paper = self.env.ref("base.paperformat_euro")
        for name in ("portal", "internal", "manager"):
            reports = self.env["ir.actions.report"].with_user(self.users[name])
            plain = reports._build_wkhtmltopdf_args(paper, False)
            self.assertNotIn("--allow", plain)
            for folder in ("/", "/etc", ["/"], True):
                sent = json.loads(json.dumps({MARK: folder}))
                with self.subTest(user=name, folder=folder):
                    found = reports.with_context(**sent)._build_wkhtmltopdf_args(
                        paper, False
                    )
                    self.assertEqual(found, plain)
        ours = reports.with_context(**{MARK: DocumentMark("/nonexistent/wab")})
        self.assertEqual(
            ours._build_wkhtmltopdf_args(paper, False)[-2:],
            ["--allow", "/nonexistent/wab"],
        )

    def test_what_came_stays_with_its_company_when_the_account_moves(self):
        """Who manages both companies hands the account over, not the customers' words."""
        other = self.other_company
        both = self._make_user("rights_both", GROUPS["manager"], self.company)
        both.sudo().company_ids |= other
        self.receive_text(WORDS)
        event = self.events.search([], limit=1)
        self.company.sudo().wab_account_id = False
        self.env["whatsapp.billing.phone.route"].sudo().search(
            [("company_id", "=", self.company.id)]
        ).unlink()
        account = self.account.with_user(both).with_context(
            allowed_company_ids=[self.company.id, other.id]
        )
        account.company_id = other
        self.env.flush_all()
        self.assertEqual(account.company_id, other)
        self.assertEqual(event.company_id, self.company)
        seen = self._as(self.events.sudo(False), "other_manager")
        self.assertNotIn(event.id, seen.search([]).ids)
        self.assertIn(event.id, self._as(seen, "manager").search([]).ids)
        event.write({"state": "new"})
        self.process_inbox()
        self.assertEqual(event.company_id, self.company)
