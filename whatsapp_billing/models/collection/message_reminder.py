# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Reminders as messages, a few hundred at a time.

Composed, asked again at the claim, taken back, and what is left of them said anew.
"""

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...rules import eligibility, languages
from ..claim.drain_reminders import REMINDER
from ..common.ledger import HOLDS
from ..common.savepoint import savepoint_or_log
from ..common.send_request import PlannedMessage
from ..document.document_look import reminded_sql
from ..sending.message_drain import of_account
from .template_statement import CONTEXT

BY_PLAN = "collections"

MOVE_FIELDS = [
    "name",
    "state",
    "payment_state",
    "partner_id",
    "company_id",
    "amount_total",
    "currency_id",
    "wab_send_override",
    "access_token",
]

PARTNER_FIELDS = [
    "name",
    "company_id",
    "active",
    "lang",
    "phone",
    "wab_number",
    "wab_recipient",
    "wab_person_key",
    "wab_enabled",
    "commercial_partner_id",
]

_logger = logging.getLogger(__name__)

# Reasons against an invoice's own message that a combined one, with another template,
# may not have.
ALONE = {
    "no_template",
    "template_not_approved",
    "template_unsupported",
    "bad_parameter",
}


@dataclass(slots=True)
class CombinedReminder:
    """One message about several invoices, as `_render_reminders` fills it in."""

    all_planned: list[PlannedMessage]
    entries: list


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    collection_plan_id = fields.Many2one(
        "whatsapp.billing.collection.plan", ondelete="set null", string="Plan"
    )
    collection_step_id = fields.Many2one(
        "whatsapp.billing.collection.step", ondelete="set null", string="Step"
    )
    collection_item_ids = fields.One2many(
        "whatsapp.billing.collection.item", "message_id", string="Invoices in It"
    )

    _collection_plan_index = models.Index(
        "(collection_plan_id, queued_at) INCLUDE (state)"
        " WHERE collection_plan_id IS NOT NULL"
    )

    # === BUSINESS METHODS - ACCESS === #

    @api.model
    def _names_only_readable_sql(self, alias, query):
        """Ask for every invoice that a reminder lists, not for its first one only."""
        self.env["whatsapp.billing.collection.item"].flush_model()
        return SQL(
            """
            %s AND (%s IS DISTINCT FROM 'payment_reminder' OR NOT EXISTS (
                SELECT 1 FROM whatsapp_billing_collection_item named
                  JOIN account_move_line listed ON listed.id = named.move_line_id
                 WHERE named.message_id = %s AND NOT %s))
            """,
            super()._names_only_readable_sql(alias, query),
            self._field_to_sql(alias, "document_type", query),
            SQL.identifier(alias, "id"),
            self._readable_sql("account.move", SQL("listed.move_id")),
        )

    # === BUSINESS METHODS - COMPOSING === #

    @api.model
    def _compose_reminders(self, company, drafts, send_request):
        """Give each draft its recipients, template, texts and decisions.

        The same rules as for any other message (`_decide`), but the text speaks of
        all that the debtor owes. Writes nothing.

        :param drafts: list of `ReminderDraft`
        :return: the same drafts, each with its planned messages
        """
        self._address(drafts, company)
        self._choose_reminder_templates(drafts, company)
        self._render_reminders(drafts)
        all_planned = [planned for draft in drafts for planned in draft.all_planned]
        self._read_consents(all_planned, send_request)
        for planned in all_planned:
            planned.decision = eligibility.decide(self._facts(planned, send_request))
        for draft in drafts:
            draft.all_planned = self._once_per_phone(draft.all_planned)
        return drafts

    @api.model
    def _address(self, drafts, company):
        """Plan a message to each recipient: of the invoice, else of the debtor."""
        # Without prefetching: an invoice has a hundred fields, and these few are
        # needed.
        lean = self.with_company(company).with_context(prefetch_fields=False)
        moves = lean.env["account.move"].browse([le.move_id for le in drafts])
        debtors = lean.env["res.partner"].browse(
            [draft.reminder.debtor_id for draft in drafts]
        )
        moves.fetch(MOVE_FIELDS)
        debtors.fetch(PARTNER_FIELDS)
        found = self._find_reminded(company, moves, debtors)
        for draft, move, partners in zip(drafts, moves, found, strict=True):
            draft.all_planned = [
                PlannedMessage(move, partner, company, REMINDER) for partner in partners
            ]

    @api.model
    def _find_reminded(self, company, moves, debtors):
        """Return the recipients of a plan's reminder, for each invoice with its debtor."""
        defaults = debtors._wab_default_recipients(company)
        found = []
        for move, debtor in zip(moves, debtors, strict=True):
            chosen = move.wab_recipient_ids._wab_of_company(company)
            partners = chosen or defaults[debtor.id]
            if partners == debtor and not (debtor.wab_recipient and debtor.wab_enabled):
                # No default recipient can be reached: the contact on the invoice is
                # reminded.
                invoiced = move.partner_id
                if invoiced.wab_recipient and invoiced.wab_enabled:
                    partners = invoiced
            found.append(partners)
        return found

    @api.model
    def _look_again(self, rows):
        """Override: a reminder is for whoever gets all the invoices that it names."""
        super()._look_again(rows)
        reminders = [row for row in rows if row["document_type"] == REMINDER]
        theirs = self._find_plainly_reminded(reminders)
        for row in reminders:
            is_theirs = theirs.get(row["id"], row["look"].is_theirs)
            row["look"] = row["look"]._replace(is_theirs=is_theirs)

    @api.model
    def _find_plainly_reminded(self, rows):
        """Return {message id: whether its recipient plainly is whom it would remind}.

        Of those that name invoices, in one query. By a plan: asked of the invoice that
        it is about; by hand: of all that it names.
        """
        moves = self.env["account.move"]
        if not rows:
            return {}
        if not moves._wab_is_plain():
            return {row["id"]: False for row in rows}
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    WITH a AS MATERIALIZED (SELECT * FROM %(asked)s),
                    named AS MATERIALIZED (
                        SELECT DISTINCT a.message_id, m.method = %(by_plan)s AS is_plan,
                               CASE WHEN m.method = %(by_plan)s THEN a.res_id
                                    ELSE l.move_id END AS move_id
                          FROM a
                          JOIN whatsapp_billing_message m ON m.id = a.message_id
                          JOIN whatsapp_billing_collection_item i
                            ON i.message_id = a.message_id AND i.role != 'credit'
                          JOIN account_move_line l ON l.id = i.move_line_id)
                    SELECT n.message_id,
                           bool_and(CASE WHEN n.is_plan THEN %(reminded)s
                                         ELSE %(gets_it)s END)
                      FROM named n
                      JOIN a ON a.message_id = n.message_id
                 LEFT JOIN account_move d ON d.id = n.move_id
                 LEFT JOIN res_partner p
                        ON p.id = CASE WHEN n.is_plan THEN d.commercial_partner_id
                                       ELSE d.partner_id END
                 LEFT JOIN res_partner r ON r.id = a.partner_id
                 LEFT JOIN res_company k ON k.id = d.company_id
                  GROUP BY n.message_id
                    """,
                    asked=moves._wab_asked_sql(rows),
                    by_plan=BY_PLAN,
                    reminded=reminded_sql(moves),
                    gets_it=moves._wab_gets_it_sql(),
                )
            )
        )

    @api.model
    def _recipients_now(self, rows):
        """Override: of a reminder, as a plan or a person by hand chose its recipients."""
        named = self._read_reminded_moves(
            [row["id"] for row in rows if row["document_type"] == REMINDER]
        )
        found, by_company, by_hand = {}, defaultdict(list), []
        for row in rows:
            if row["id"] in named and row["method"] == BY_PLAN:
                by_company[row["company_id"]].append(row)
            elif row["id"] in named:
                by_hand += [
                    row | {"id": (row["id"], move_id), "res_id": move_id}
                    for move_id in named[row["id"]]
                ]
        for company_id, mine in by_company.items():
            found |= self._reminded_now(company_id, mine)
        # A reminder of several invoices goes only to who is recipient of each of them.
        for name, partners in super()._recipients_now(by_hand).items():
            found[name[0]] = found.get(name[0], partners) & partners
        rest = [row for row in rows if row["id"] not in named]
        return found | super()._recipients_now(rest)

    @api.model
    def _reminded_now(self, company_id, rows):
        """Return {message id: partners} of reminders that plans of a company made."""
        company = self.env["res.company"].browse(company_id)
        lean = self.with_company(company).with_context(prefetch_fields=False)
        moves = lean.env["account.move"].browse({row["res_id"] for row in rows})
        moves.fetch(["commercial_partner_id", "partner_id", "wab_recipient_ids"])
        debtors = moves.browse().commercial_partner_id.browse(
            [move.commercial_partner_id.id for move in moves]
        )
        debtors.fetch(PARTNER_FIELDS)
        reminded = self._find_reminded(company, moves, debtors)
        by_move = dict(zip(moves.ids, reminded, strict=True))
        return {row["id"]: by_move[row["res_id"]] for row in rows}

    @api.model
    def _read_reminded_moves(self, message_ids):
        """Return {message id: ids of the invoices that it reminds of}."""
        if not message_ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT i.message_id, array_agg(DISTINCT l.move_id)
                  FROM whatsapp_billing_collection_item i
                  JOIN account_move_line l ON l.id = i.move_line_id
                 WHERE i.message_id = ANY(%s) AND i.role != 'credit'
              GROUP BY i.message_id
                """,
                list(message_ids),
            )
        )
        return dict(rows)

    @api.model
    def _choose_reminder_templates(self, drafts, company):
        # sudo: whatsapp.billing.account - which one sends is not the clerk's
        account = company.sudo().wab_account_id
        templates = self.env["whatsapp.billing.template"].sudo()
        steps = self.env["whatsapp.billing.collection.step"]
        cache = {}
        for draft in drafts:
            many = len({entry.name for entry in draft.entries}) > 1
            step = steps.browse(draft.reminder.step_id)
            chosen = [
                self._choose_reminder(step, account, company, planned, many, cache)
                for planned in draft.all_planned
            ]
            if many and not all(chosen):
                draft.keep_one()
                chosen = [
                    self._choose_reminder(step, account, company, planned, False, cache)
                    for planned in draft.all_planned
                ]
            for planned, template in zip(draft.all_planned, chosen, strict=True):
                planned.template = template or templates
                planned.account, planned.phone, planned.account_state = (
                    self._find_route(company, planned, account, cache)
                )

    @api.model
    def _choose_reminder(self, step, account, company, planned, many, cache):
        name = (step.id, planned.partner.lang, many)
        if name not in cache:
            langs = languages.candidates(
                planned.partner.lang or "", company.partner_id.lang or ""
            )
            templates_sudo = self.env["whatsapp.billing.template"].sudo()
            cache[name] = templates_sudo._reminder_template(step, account, langs, many)
        return cache[name]

    @api.model
    def _find_route(self, company, planned, account, cache):
        """Return account, number and the account's state for a planned message."""
        template = planned.template
        name = (company.id, template.id)
        if name not in cache:
            account = template.account_id or account
            # sudo: whatsapp.billing.phone - which number sends is not the clerk's
            phone = self.env["whatsapp.billing.phone"].sudo()
            if account:
                phone = phone._get_route(
                    company, "customer", template.category or "utility"
                )
                if phone.account_id != account:
                    phone = account.phone_ids.filtered("is_usable")[:1]
            cache[name] = (account, phone, self._account_state(account, phone))
        return cache[name]

    @api.model
    def _render_reminders(self, drafts):
        for (template, _round), pairs in self._sort_for_rendering(drafts).items():
            recipients = defaultdict(lambda: self.env["res.partner"])
            groups = {}
            for draft, planned in pairs:
                recipients[planned.record.id] |= planned.partner
                groups[planned.record.id] = draft.entries
            records = pairs[0][1].record.browse(list(recipients))
            rendered = template._render_values(
                records.with_context(**{CONTEXT: groups}), recipients
            )
            for draft, planned in pairs:
                planned.rendered = rendered[planned.record.id, planned.partner.id]
                planned.listed = frozenset(entry.name for entry in draft.entries)

    @api.model
    def _sort_for_rendering(self, drafts):
        """Return {(template, round): [(draft, planned message)]}.

        Rendering takes an invoice once. Where drafts to several people have the same
        first invoice and list different others, each goes into a round of its own;
        nearly all go into the first.
        """
        rounds = defaultdict(list)
        seen = {}
        for draft in drafts:
            for planned in draft.all_planned:
                if not planned.template or not planned.partner:
                    continue
                number = 0
                while (
                    seen.setdefault(
                        (planned.template, number, planned.record.id), draft
                    )
                    is not draft
                ):
                    number += 1
                rounds[planned.template, number].append((draft, planned))
        return rounds

    # === BUSINESS METHODS - WHAT BECOMES OF THEM === #

    @api.model
    def _release_of_quiet_hours(self, account_id=None):
        """Queue the reminders whose quiet hours are over."""
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'queued', reason = NULL
                 WHERE state = 'held' AND reason = 'quiet_hours' AND %s
                   AND (next_attempt_at IS NULL
                        OR next_attempt_at <= %s)
             RETURNING id
                """,
                of_account(account_id),
                fields.Datetime.now(),
            )
        )
        return [row[0] for row in rows]

    def _take_steps_back(self):
        """Free the step of what never left, so that a later run may try again.

        A message that the provider may have seen keeps it: twice never happens. The
        case of what was paid meanwhile gives it back too: a payment may be taken back.
        """
        gone = self.env.execute_query(
            SQL(
                """
                SELECT id FROM whatsapp_billing_message
                 WHERE id = ANY(%s) AND state = 'canceled' AND attempts = 0
                   AND method = 'collections'
                """,
                list(self.ids),
            )
        )
        if not gone:
            return
        # `OFFSET 0` has PostgreSQL look up each line by index; joined, it reads whole
        # tables for each line while it takes them for small.
        rows = self.env.execute_query(
            SQL(
                """
                WITH back AS MATERIALIZED (
                    SELECT c.id, i.message_id, i.previous_days, i.previous_date
                      FROM unnest(%s) AS gone (id)
                      JOIN LATERAL (
                           SELECT * FROM whatsapp_billing_collection_item
                            WHERE message_id = gone.id AND role = 'due'
                           OFFSET 0) i ON TRUE
                      JOIN LATERAL (
                           SELECT id, last_step_days, last_date
                             FROM whatsapp_billing_collection_case
                            WHERE move_line_id = i.move_line_id
                         ORDER BY id DESC LIMIT 1) c
                        ON c.last_date IS NOT NULL AND c.last_step_days = i.days
                     WHERE NOT EXISTS (
                           SELECT 1
                             FROM (SELECT message_id
                                     FROM whatsapp_billing_collection_item
                                    WHERE move_line_id = i.move_line_id
                                      AND role = 'due' AND days = i.days
                                      AND due_date IS NOT DISTINCT FROM i.due_date
                                   OFFSET 0) other
                             JOIN LATERAL (
                                  SELECT state FROM whatsapp_billing_message
                                   WHERE id = other.message_id OFFSET 0) told ON TRUE
                            WHERE told.state != 'canceled'))
                UPDATE whatsapp_billing_collection_case c
                   SET last_step_days = back.previous_days,
                       last_date = back.previous_date,
                       next_check_date = CASE
                           WHEN c.state != 'done' THEN '1970-01-01'::date END
                  FROM back WHERE c.id = back.id
             RETURNING c.id, back.message_id
                """,
                [row[0] for row in gone],
            )
        )
        if rows:
            cases = self.env["whatsapp.billing.collection.case"]
            cases.browse(row[0] for row in rows).invalidate_recordset(flush=False)

    # === BUSINESS METHODS - WHAT IS LEFT OF THEM === #

    def _remind_of_the_rest(self):
        """Say anew what is left of reminders that were dropped for a part of them.

        Somebody paid one of several invoices, or a part of one: the rest is reminded of
        all the same. Once: what takes a dropped one's place is not replaced again, the
        next run looks at it. Called with sudo, in the transaction that drops them.
        """
        self.env.flush_all()
        self.invalidate_recordset()
        dropped = self.filtered(
            lambda m: m.state == "canceled" and not m.attempts and not m.replaces_id
        )
        dropped._take_steps_back()
        by_plan = dropped.grouped(lambda m: (m.company_id, m.collection_plan_id))
        for (company, plan), messages in by_plan.items():
            # What one invoice raises stays with these reminders, which the next run
            # decides on; the other messages of the claim go on.
            text = "Reminders %s were not made again"
            with savepoint_or_log(self.env, _logger, text, messages.ids):
                if plan:
                    messages._run_plan_again(company, plan)
                else:
                    messages._remind_by_hand_again()

    def _run_plan_again(self, company, plan):
        """Have the plan decide again about customers who have not heard from us."""
        by_debtor = self.grouped(lambda m: m._get_reminded())
        by_day = defaultdict(dict)
        for debtor, messages in by_debtor.items():
            day = messages._free_day(company, debtor)
            if day:
                by_day[day][debtor.id] = messages[0]
        today = plan._get_moment(company).day
        for day, old in by_day.items():
            # A reminder of a run for a later day is decided again for that same day.
            later = day if day > today + timedelta(days=1) else None
            plan._run_debtors(company, plan._get_moment(company, later), list(old))
            self.env.flush_all()
            for message in self.search(
                [("collection_plan_id", "=", plan.id), ("id", ">", max(self.ids))]
            ):
                message.replaces_id = old.get(message._get_reminded().id)

    def _get_reminded(self):
        """Return the customer whom a reminder was for.

        Some of its invoices may be another customer's by now.
        """
        self.ensure_one()
        moves = self.collection_item_ids.move_line_id.move_id
        theirs = moves.filtered(self._is_for_customer_of)
        return (theirs or moves).commercial_partner_id[:1]

    def _free_day(self, company, debtor):
        """Give back the day that these took from a customer; return it.

        None where another reminder has gone to them, or goes, since.
        """
        rows = self.env.execute_query(
            SQL(
                """
                DELETE FROM whatsapp_billing_collection_followup
                 WHERE id = (SELECT id FROM whatsapp_billing_collection_followup
                              WHERE company_id = %(company)s AND debtor_id = %(debtor)s
                                AND channel = 'whatsapp'
                                AND day >= %(since)s
                           ORDER BY day DESC LIMIT 1)
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_message g
                         JOIN whatsapp_billing_collection_item i ON i.message_id = g.id
                         JOIN account_move_line l ON l.id = i.move_line_id
                         JOIN account_move m ON m.id = l.move_id
                        WHERE m.commercial_partner_id = %(debtor)s
                          AND g.company_id = %(company)s AND g.state != 'canceled'
                          AND g.queued_at >= %(queued)s)
             RETURNING day
                """,
                company=company.id,
                debtor=debtor.id,
                since=min(self.mapped("queued_at")).date() - timedelta(days=1),
                queued=min(self.mapped("queued_at")),
            )
        )
        return rows[0][0] if rows else None

    def _remind_by_hand_again(self):
        """Remind again, by hand, of the invoices of these reminders that are still open."""
        cases = self.env["whatsapp.billing.collection.case"]
        rest, others = cases._find_rest(self.ids)
        # An invoice that became another customer's is not reminded of again by itself:
        # its person is asked.
        self.browse(others)._leave_to_person(others)
        (self - self.browse(rest | others))._ask_about_recipients()
        for message_id, move_ids in rest.items():
            message = self.browse(message_id)
            author = message.user_id or self.env.user
            # sudo: account.move - whoever reminded might; the drain says it again
            moves_sudo = (
                self.env["account.move"]
                .with_user(author)
                .with_company(message.company_id)
                .with_context(lang=author.lang)
                .sudo()
                .browse(move_ids)
            )
            heirs = message._find_heirs_of_reminder(moves_sudo)
            results = []
            for partners, mine in moves_sudo.grouped(
                lambda m, h=heirs: h[m.id]
            ).items():
                if partners:
                    results += message._remind_instead(mine, partners)
            is_told = any(result["state"] in ("queued", "held") for result in results)
            told = self.env["res.partner"].union(*heirs.values())
            if results and not is_told and message.partner_id not in told:
                message._ask_about_recipients()

    def _leave_to_person(self, move_ids):
        """Ask whoever reminded of invoices that have become another customer's since.

        The trace, which each of these invoices shows, says which ones they are.

        :param move_ids: {message id: ids of such invoices}
        """
        moves = self.env["account.move"]
        for message in self:
            left = moves.browse(move_ids[message.id])
            names = ", ".join(move._wab_document_name() for move in left)
            message.trace_data = [
                *(message.trace_data or []),
                ("same_customer", names, False),
            ]
        self._ask_on_documents(
            self.env._("WhatsApp message not sent: the recipient changed"),
            lambda document, names: self.env._(
                "%(document)s became another customer's after a WhatsApp reminder to"
                " %(names)s was queued, so it is not in it. Remind whoever is to pay it.",
                document=document,
                names=names or self.env._("a contact that is gone"),
            ),
            move_ids,
        )

    def _remind_instead(self, moves, partners):
        """Send these partners a reminder of these invoices in place of this message."""
        self.ensure_one()
        fits = self.template_id._is_for_many() == (len(moves) > 1)
        results = moves._wab_enqueue(
            {move.id: partners for move in moves},
            self.method,
            self.template_id.id if fits else False,
            explicit=any(rule["rule"] == "sent_by_person" for rule in self.trace or []),
            is_reminder=True,
            is_named=not self._follows_document(),
            purpose="collections",
        )
        moves._wab_note_reminders(results)
        new_ids = {result["message_id"] for result in results}
        self.browse(new_ids).replaces_id = self
        return results

    def _find_heirs_of_reminder(self, moves):
        """Return {move id: who is reminded of it in place of this recipient}.

        The same one where it is still theirs; else whom it goes to by now and who has
        not been reminded of it since.
        """
        self.ensure_one()
        mine = self.partner_id._wab_of_company(self.company_id)
        if not self._follows_document():
            return dict.fromkeys(moves.ids, mine)
        now = moves._wab_get_recipients()
        told = self._read_reminded_since(moves)
        return {
            move.id: mine
            if mine and mine in now[move.id]
            else now[move.id].filtered(
                lambda p, heard=told[move.id]: not heard & {p.id, p.wab_person_key}
            )
            for move in moves
        }

    def _read_reminded_since(self, moves):
        """Return {move id: ids and numbers of who was reminded of it since}."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT l.move_id, n.partner_id, n.person_key
                  FROM whatsapp_billing_collection_item i
                  JOIN account_move_line l ON l.id = i.move_line_id
                  JOIN whatsapp_billing_message n ON n.id = i.message_id
                 WHERE l.move_id = ANY(%s) AND n.id != %s AND n.queued_at >= %s
                   AND n.state NOT IN ('canceled', 'failed')
                """,
                moves.ids,
                self.id,
                self.queued_at,
            )
        )
        told = defaultdict(set)
        for move_id, partner_id, person_key in rows:
            told[move_id] |= {partner_id, person_key} - {None, ""}
        return told

    @api.model
    def _decide(self, records, recipients, document_types, send_request, render=True):
        """Read in bulk what holds reminders by hand, and what they are about."""
        if send_request.is_reminder and not send_request.by_plan and records:
            records = records.with_context(
                **{
                    HOLDS: records._wab_read_holds(),
                    CONTEXT: records._wab_reminded_lines(),
                }
            )
        return super()._decide(
            records, recipients, document_types, send_request, render
        )

    @api.model
    def _combine_by_customer(self, all_planned, send_request, render):
        """Have one message name all invoices of a customer, where a template can.

        The oldest invoice carries it, the others are `also_about`. With a caller's key
        each stays a message of its own: a repeat must find every invoice's result.
        """
        all_planned = super()._combine_by_customer(all_planned, send_request, render)
        if not send_request.is_reminder or send_request.by_plan or send_request.key:
            return all_planned
        groups = defaultdict(list)
        for planned in all_planned:
            if planned.will_be_queued or planned.decision.reason in ALONE:
                debtor = planned.record.commercial_partner_id
                groups[planned.partner, planned.company, debtor].append(planned)
        joints = self._make_joints(groups.values(), send_request)
        if render:
            self._render_reminders(joints)
        merged, also_about = {}, set()
        for joint in joints:
            (planned,) = joint.all_planned
            planned.decision = eligibility.decide(self._facts(planned, send_request))
            if planned.will_be_queued:
                merged[planned.record.id, planned.partner.id] = planned
                also_about.update(
                    (one.record.id, one.partner.id) for one in planned.also_about
                )
        return [
            merged.get(name, planned)
            for planned in all_planned
            for name in ((planned.record.id, planned.partner.id),)
            if name not in also_about
        ]

    @api.model
    def _make_joints(self, groups, send_request):
        cache, joints = {}, []
        for group in groups:
            if len(group) < 2:
                continue
            group.sort(key=lambda t: (str(t.record.invoice_date_due), t.record.id))
            template = self._find_joint_template(group[0], send_request, cache)
            if not template:
                continue
            planned = replace(group[0], template=template, also_about=group[1:])
            planned.account, planned.phone, planned.account_state = self._find_route(
                planned.company, planned, planned.account, cache
            )
            groups = group[0].record.env.context[CONTEXT]
            entries = [e for one in group for e in groups[one.record.id]]
            joints.append(CombinedReminder([planned], entries))
        return joints

    @api.model
    def _find_joint_template(self, planned, send_request, cache):
        """Return a template that can name several invoices, None where none can."""
        if send_request.template:
            return planned.template if planned.template._is_for_many() else None
        name = (planned.company.id, planned.account.id, planned.partner.lang)
        if name not in cache:
            langs = languages.candidates(
                planned.partner.lang or "", planned.company.partner_id.lang or ""
            )
            no_step = self.env["whatsapp.billing.collection.step"]
            cache[name] = planned.template._reminder_template(
                no_step, planned.account, langs, many=True
            )
        return cache[name]
