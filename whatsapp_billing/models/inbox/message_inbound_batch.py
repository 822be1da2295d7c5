# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What customers wrote, many messages at once: what their rows depend on, in bulk.

A fixed number of statements for a batch of the inbox, however many wrote. What each
message is and may decide stands in `message_inbound.py`.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from odoo import api, models
from odoo.tools import SQL

from ...rules import answers, numbers
from .message_inbound import NOTICES_OF_CHANGE, REVISIONS

# Space of the advisory locks, one for each person (`_lock_people`).
LOCK_SPACE = "whatsapp_billing.inbound"


@dataclass(slots=True, eq=False)
class Incoming:
    """One message of a customer on its way to its row.

    `account`, `phone`: our side; `update`: what the provider told (`InboundMessage`).
    """

    event: Any
    account: Any
    phone: Any
    update: Any
    # The message that this one answers, revises or reacts to: stored, or in the same
    # batch.
    quoted: Any = None
    quoted_incoming: "Incoming | None" = None
    # Edits and withdrawals of this message that arrived before it; where it is itself a
    # revision, those known of the message that it revises.
    revisions: list = field(default_factory=list)
    values: dict = field(default_factory=dict)
    message: Any = None

    @property
    def sender(self):
        return self.update.sender or self.update.user_uid

    @property
    def key(self):
        """Return what is the provider's one name for this message."""
        return self.account.id, self.update.wamid

    @property
    def quoted_key(self):
        return self.account.id, self.update.context_wamid

    @property
    def revised_key(self):
        """Return which message edits and withdrawals are wanted of: the revised one."""
        return self.quoted_key if self.update.type in REVISIONS else self.key

    @property
    def tapped(self):
        """Return what a button of ours says, if one was tapped."""
        return answers.read_payload(self.update.payload or "")


class Senders:
    """Who may have written a batch: contacts by number or id, and who was written to."""

    def __init__(self, messages, batch):
        self._messages = messages
        self._partners = messages.env["res.partner"]
        self._by_number = self._read_contacts(batch)
        self._by_uid = self._read_known_ids(batch)
        self._last = self._read_last_written_to(
            [one for one in batch if len(self.contacts(one)) != 1]
        )
        self._written = self._read_written(batch)

    def contacts(self, incoming):
        """Return the contacts of our company that have the number, or the id."""
        key = numbers.person_key(incoming.sender)
        company = incoming.account.company_id
        if numbers.is_bsuid(key):
            found = self._by_uid.get((company.id, key), self._partners)
        else:
            found = self._by_number.get(key, self._partners)
        return found._wab_of_company(company)

    def last_written_to(self, incoming):
        """Return whom we wrote to last under this number or id."""
        return self._last.get(incoming, self._partners)

    def was_written_to(self, partner, key):
        """Tell whether we wrote to a contact, that has no number by now, under this one."""
        return (partner.id, key) in self._written

    def _read_contacts(self, batch):
        keys = {numbers.person_key(one.sender) for one in batch} - {""}
        found = self._partners.search([("wab_person_key", "in", sorted(keys))])
        return dict(found.grouped("wab_person_key"))

    def _read_known_ids(self, batch):
        """Return {(company id, user id): whom we know under it}."""
        wanted = sorted(
            {
                (one.account.company_id.id, numbers.person_key(one.sender))
                for one in batch
                if numbers.is_bsuid(numbers.person_key(one.sender))
            }
        )
        if not wanted:
            return {}
        rows = self._messages.env.execute_query(
            SQL(
                """
                SELECT v.company_id, v.uid, last.partner_id
                  FROM unnest(%s::int[], %s::varchar[]) v (company_id, uid)
                  JOIN LATERAL (
                       SELECT partner_id FROM whatsapp_billing_message
                        WHERE recipient_uid = v.uid AND company_id = v.company_id
                          AND partner_id IS NOT NULL
                     ORDER BY id DESC LIMIT 1) last ON TRUE
                """,
                [company_id for company_id, _uid in wanted],
                [uid for _company_id, uid in wanted],
            )
        )
        partners = self._partners.browse(row[2] for row in rows)
        return {
            (company_id, uid): partner
            for (company_id, uid, _id), partner in zip(rows, partners, strict=True)
        }

    def _read_last_written_to(self, batch):
        """Return {incoming: contact} of the last message under each number or id."""
        if not batch:
            return {}
        rows = self._messages.env.execute_query(
            SQL(
                """
                SELECT v.place, last.partner_id
                  FROM unnest(%s::int[], %s::varchar[], %s::varchar[])
                       WITH ORDINALITY v (account_id, key, uid, place)
                  JOIN LATERAL (
                       SELECT id, partner_id FROM (
                           (SELECT id, partner_id FROM whatsapp_billing_message
                             WHERE person_key = v.key AND direction = 'out'
                               AND account_id = v.account_id
                               AND partner_id IS NOT NULL
                          ORDER BY id DESC LIMIT 1)
                          UNION ALL
                           (SELECT id, partner_id FROM whatsapp_billing_message
                             WHERE recipient_uid = v.uid AND direction = 'out'
                               AND account_id = v.account_id
                               AND partner_id IS NOT NULL
                          ORDER BY id DESC LIMIT 1)) found
                     ORDER BY id DESC LIMIT 1) last ON TRUE
                """,
                [one.account.id for one in batch],
                [numbers.person_key(one.sender) or "-" for one in batch],
                [one.update.user_uid or "-" for one in batch],
            )
        )
        partners = self._partners.browse(row[1] for row in rows)
        return {
            batch[place - 1]: partner
            for (place, _id), partner in zip(rows, partners, strict=True)
        }

    def _read_written(self, batch):
        """Return which (contact id, number) were written to, of contacts without one."""
        possible = self._partners.union(
            *(one.quoted.partner_id for one in batch if one.quoted),
            *self._last.values(),
            *self._by_uid.values(),
        ).filtered(lambda partner: not partner.wab_person_key)
        keys = {numbers.person_key(one.update.sender or "") for one in batch} - {""}
        if not possible or not keys:
            return set()
        return set(
            self._messages.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT partner_id, person_key
                      FROM whatsapp_billing_message
                     WHERE partner_id = ANY(%s) AND direction = 'out'
                       AND person_key = ANY(%s)
                    """,
                    possible.ids,
                    sorted(keys),
                )
            )
        )


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # People who hide their number are found by the provider's user id.
    _recipient_uid_index = models.Index(
        "(recipient_uid, id) WHERE recipient_uid IS NOT NULL"
    )

    # === BUSINESS METHODS - A BATCH === #

    @api.model
    def _lock_people(self, batch):
        """Let one worker at a time apply what a person wrote, until it commits.

        Their messages depend on each other: an edit comes in another batch than what
        it edits, and the same message in two. Always in the same order.
        """
        people = {
            f"{one.account.id} {who}"
            for one in batch
            for who in (numbers.person_key(one.sender), one.update.user_uid)
            if who
        }
        places = sorted({crc32(person.encode()) - 2**31 for person in people})
        if places:
            self.env.cr.execute(
                SQL(
                    "SELECT pg_advisory_xact_lock(hashtext(%s), place)"
                    " FROM unnest(%s::int[]) place",
                    LOCK_SPACE,
                    places,
                )
            )

    @api.model
    def _keep_inbound(self, batch):
        """Keep what customers sent, each message once, and let it act if it may.

        :param batch: list of `Incoming`, in the order in which it was said
        """
        new = self._drop_known(batch)
        if not new:
            return
        self._read_quoted(new)
        senders = Senders(self, new)
        documents = self._read_quoted_documents(new)
        seen = {}
        for one in new:
            one.quoted_incoming = None if one.quoted else seen.get(one.quoted_key)
            if one.quoted_incoming:
                one.quoted = self.new(one.quoted_incoming.values)
            one.values = self._inbound_values(one, senders, documents)
            seen[one.key] = one
        messages = self.create([one.values for one in new])
        for one, message in zip(new, messages, strict=True):
            one.message = message
        self._link_within(new, seen)
        self._let_act(new)

    @api.model
    def _drop_known(self, batch):
        """Return what was not kept yet, with what was said of it before it came."""
        first = {}
        for one in batch:
            first.setdefault(one.key, one)
        self.flush_model(["wamid", "account_id", "context_wamid", "inbound_type"])
        known, revisions = set(), defaultdict(list)
        for account_id, wamid, revision_id in self.env.execute_query(
            SQL(
                """
                SELECT account_id, wamid, NULL::int FROM whatsapp_billing_message
                 WHERE account_id = ANY(%(accounts)s) AND wamid = ANY(%(own)s)
                 UNION ALL
                SELECT account_id, context_wamid, id FROM whatsapp_billing_message
                 WHERE account_id = ANY(%(accounts)s)
                   AND context_wamid = ANY(%(revised)s)
                   AND inbound_type IN ('edit', 'revoke')
                """,
                accounts=sorted({one.account.id for one in batch}),
                own=[one.update.wamid for one in first.values()],
                revised=[one.revised_key[1] for one in first.values()],
            )
        ):
            if revision_id:
                revisions[account_id, wamid].append(revision_id)
            else:
                known.add((account_id, wamid))
        ids = sorted({n for found in revisions.values() for n in found})
        by_id = {message.id: message for message in self.browse(ids)}
        new = [one for key, one in first.items() if key not in known]
        for one in new:
            one.revisions = [by_id[n] for n in revisions.get(one.revised_key, ())]
        return new

    @api.model
    def _read_quoted(self, batch):
        """Find the message that each answers, revises or reacts to, of its account.

        A tap names it by its proof token, which only its reader knows; all else by the
        provider's id. Both may be those of an earlier attempt.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account_id, wamid, id, TRUE FROM whatsapp_billing_message
                 WHERE account_id = ANY(%(accounts)s) AND wamid = ANY(%(wamids)s)
                 UNION ALL
                SELECT account_id, uuid, id, TRUE FROM whatsapp_billing_message
                 WHERE uuid = ANY(%(uuids)s) AND direction = 'out'
                 UNION ALL
                SELECT m.account_id, attempt.named, m.id, FALSE
                  FROM (SELECT message_id, wamid AS named
                          FROM whatsapp_billing_message_attempt
                         WHERE wamid = ANY(%(wamids)s)
                         UNION ALL
                        SELECT message_id, uuid FROM whatsapp_billing_message_attempt
                         WHERE uuid = ANY(%(uuids)s)) attempt
                  JOIN LATERAL (
                       SELECT id, account_id FROM whatsapp_billing_message
                        WHERE id = attempt.message_id AND direction = 'out'
                     ORDER BY id DESC LIMIT 1) m ON TRUE
                """,
                accounts=sorted({one.account.id for one in batch}),
                wamids=sorted({one.update.context_wamid for one in batch} - {""}),
                uuids=sorted({one.tapped.uuid for one in batch if one.tapped}),
            )
        )
        # Later rows win: a message's latest call, and the younger of two messages.
        rows.sort(key=lambda row: (row[3], row[2]))
        messages = self.browse(row[2] for row in rows)
        found = {
            (account_id, named): message
            for (account_id, named, _id, _is_latest), message in zip(
                rows, messages, strict=True
            )
        }
        for one in batch:
            tapped = one.tapped and found.get((one.account.id, one.tapped.uuid))
            one.quoted = tapped or found.get(one.quoted_key) or self.browse()

    @api.model
    def _read_quoted_documents(self, batch):
        """Return {(model, id): the document} of what is quoted, where it still exists."""
        ids = defaultdict(set)
        for one in batch:
            if one.quoted.res_id and one.quoted.res_model in self.env:
                ids[one.quoted.res_model].add(one.quoted.res_id)
        return {
            (model, document.id): document
            for model, res_ids in ids.items()
            for document in self.env[model].browse(res_ids).exists()
        }

    @api.model
    def _link_within(self, batch, by_key):
        """Tell rows of each other, where one of a batch is about another."""
        for one in batch:
            if one.quoted_incoming:
                one.quoted = one.quoted_incoming.message
            elif one.update.type in REVISIONS and one.quoted_key in by_key:
                # The revision arrived before the message that it is about.
                by_key[one.quoted_key].revisions.append(one.message)

    @api.model
    def _let_act(self, batch):
        """Let act what may, each in its turn."""
        heard = {}
        for one in batch:
            said = one.message._hear(one)
            if said:
                heard[one.message] = said
        acting = self._choose_acting(heard)
        for one in batch:
            if one.message in acting:
                one.message._act_on_inbound(acting[one.message])
            elif one.message not in heard and one.update.notice in NOTICES_OF_CHANGE:
                one.message._note_other_number(one.message.content["new_sender"])
