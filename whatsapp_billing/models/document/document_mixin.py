# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, frozendict, ormcache

from ... import const
from ...rules import parameters
from ...rules import status as status_rules
from ..common import call_arguments
from ..common.send_request import SendRequest
from ..rights.rights import PAGE, PAGE_ROWS

_logger = logging.getLogger(__name__)

# Fields of a contact that deciding on its recipients reads.
ADDRESSEE_FIELDS = (
    "commercial_partner_id",
    "company_id",
    "phone",
    "wab_enabled",
    "wab_is_default_recipient",
    "wab_number",
)


# Fields of a document that address it, where its model has them.
ADDRESS_FIELDS = ("partner_id", "wab_recipient_ids")
# Columns of a message that the look at its document reads.
ABOUT_COLUMNS = (
    "id",
    "state",
    "direction",
    "queued_at",
    "partner_id",
    "document_partner_id",
)


def about_columns_sql():
    """Return `ABOUT_COLUMNS` of the table of messages, as `m`."""
    return SQL(", ").join(SQL.identifier("m", name) for name in ABOUT_COLUMNS)


class WhatsappBillingDocumentMixin(models.AbstractModel):
    """What invoices, payments and contacts share: messages, their news, sending."""

    _name = "whatsapp.billing.document.mixin"
    _description = "Document that goes out on WhatsApp"

    wab_message_ids = fields.One2many(
        "whatsapp.billing.message",
        "res_id",
        string="WhatsApp Messages",
        groups="whatsapp_billing.group_user",
        copy=False,
    )
    wab_message_count = fields.Integer(
        compute="_compute_wab_state", groups="whatsapp_billing.group_user"
    )
    wab_state = fields.Selection(
        selection=lambda self: (
            self.env["whatsapp.billing.message"]
            ._fields["state"]
            ._description_selection(self.env)
        ),
        compute="_compute_wab_state",
        search="_search_wab_state",
        string="WhatsApp",
        groups="whatsapp_billing.group_user",
        help="The best news so far of what the customer was told. Whom it did not reach"
        " is told beside it.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        lambda self: (
            "wab_message_ids.state",
            *(name for name in ADDRESS_FIELDS if name in self._fields),
        )
    )
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_wab_state(self):
        counts = self._wab_count_messages()
        states = dict(
            self.env.execute_query(
                SQL(
                    "SELECT res_id, state FROM (%s) news",
                    self._wab_best_news_sql(
                        SQL("a.res_id = ANY(%s)", self._origin.ids)
                    ),
                )
            )
            if self._origin.ids
            else ()
        )
        for record in self:
            record.wab_message_count = counts.get(record._origin.id, 0)
            record.wab_state = states.get(record._origin.id, False)

    def _wab_count_messages(self):
        """Return {record id: messages about it that the user may read}."""
        ids = self._origin.ids
        if not ids:
            return {}
        messages = self.env["whatsapp.billing.message"]
        page = messages.with_context(**{PAGE: len(ids) <= PAGE_ROWS})
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT a.res_id, count(DISTINCT a.id) FROM (%s) a"
                    " WHERE a.res_id = ANY(%s) AND %s GROUP BY a.res_id",
                    self._wab_about_sql(),
                    ids,
                    page._readable_sql(messages._name, SQL("a.id")),
                )
            )
        )

    def _search_wab_state(self, operator, value):
        self._check_field_access(self._fields["wab_state"], "read")
        if operator != "in":
            return NotImplemented
        states = [state for state in value if state]
        news = self._wab_best_news_sql(SQL("TRUE"))
        wanted = SQL("SELECT res_id FROM (%s) n WHERE state = ANY(%s)", news, states)
        domain = [("id", "in", wanted)]
        if False in value:
            anything = SQL("SELECT res_id FROM (%s) n", news)
            domain = ["|", ("id", "not in", anything), *domain]
        return domain

    @api.model
    def _wab_best_news_sql(self, condition):
        """Return a query for (res_id, state): the best news of each record's messages.

        Of those to the customer whom it has now.

        :param condition: on the columns of `_wab_about_sql`, as `a`
        """
        return SQL(
            """
            SELECT DISTINCT ON (a.res_id) a.res_id, a.state
              FROM (%s) a WHERE a.direction = 'out' AND %s AND %s
          ORDER BY a.res_id, array_position(%s, a.state::text)
            """,
            self._wab_about_sql(),
            condition,
            self._wab_theirs_sql(),
            list(status_rules.BEST_FIRST),
        )

    @api.model
    def _wab_failed_sql(self, condition):
        """Return a query for (res_id, id): messages that failed and wait for somebody.

        What went to the same person about the same record later puts them aside. Whom
        the record is no longer addressed to need not be reached.

        :param condition: on the columns of `_wab_about_sql`, as `a`
        """
        self.env["whatsapp.billing.message"].flush_model(["is_handled", "person_key"])
        about = self._wab_about_sql()
        return SQL(
            """
            SELECT a.res_id, a.id
              FROM (%(about)s) a
              JOIN whatsapp_billing_message m ON m.id = a.id
             WHERE a.direction = 'out' AND a.state = 'failed'
               AND m.is_handled IS NOT TRUE AND %(condition)s AND %(theirs)s
               AND NOT EXISTS (
                   SELECT 1 FROM (%(about)s) later
                     JOIN whatsapp_billing_message n ON n.id = later.id
                    WHERE later.res_id = a.res_id AND later.direction = 'out'
                      AND later.state != 'canceled' AND n.person_key = m.person_key
                      AND (later.queued_at, later.id) > (a.queued_at, a.id))
            """,
            about=about,
            condition=condition,
            theirs=self._wab_theirs_sql(),
        )

    @api.model
    def _wab_about_sql(self):
        """Return a query for the messages about records of this model.

        Its columns: the record's id as `res_id`, and those of `ABOUT_COLUMNS` of the
        message.
        """
        messages = self.env["whatsapp.billing.message"]
        messages.flush_model([*ABOUT_COLUMNS, "res_model", "res_id", "method"])
        return SQL(
            "SELECT m.res_id, %s FROM whatsapp_billing_message m"
            " WHERE m.res_model = %s AND m.company_id = ANY(%s)"
            " AND m.method IS DISTINCT FROM %s",
            about_columns_sql(),
            self._name,
            self.env.companies.ids,
            const.TEST_METHOD,
        )

    @api.model
    def _wab_theirs_sql(self):
        """Return whether a message was to the customer whom its document has now.

        To them, to somebody of theirs, or to whom a person has chosen since: what a
        former customer was told, and did, says nothing of this one. On the columns of
        `_wab_about_sql`, as `a`.
        """
        if "partner_id" not in self._fields:
            return SQL("TRUE")
        self.flush_model(["partner_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        chosen = SQL("FALSE")
        if "wab_recipient_ids" in self._fields:
            field = self._fields["wab_recipient_ids"]
            self.flush_model([field.name])
            chosen = SQL(
                "EXISTS (SELECT 1 FROM %s WHERE %s = d.id AND %s = a.partner_id)",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                SQL.identifier(field.column2),
            )
        # The first comparison settles nearly all rows without reading contacts.
        return SQL(
            """
            EXISTS (
                SELECT 1 FROM %s d
                 WHERE d.id = a.res_id
                   AND (d.partner_id IS NULL OR d.partner_id = a.document_partner_id
                        OR d.partner_id = a.partner_id
                        OR EXISTS (
                           SELECT 1 FROM res_partner now JOIN res_partner told
                               ON told.commercial_partner_id = now.commercial_partner_id
                            WHERE now.id = d.partner_id
                              AND told.id IN (a.document_partner_id, a.partner_id))
                        OR %s))
            """,
            SQL.identifier(self._table),
            chosen,
        )

    # === BUSINESS METHODS - ACCESS === #

    @api.model
    def _has_field_access(self, field, operation):
        """Keep what is ours from customers, who read own documents at the portal.

        Odoo lets them read every field of an invoice that has no groups.
        """
        # Called whenever any field is read: the name is compared before rights are
        # asked.
        if field.name[:4] == "wab_" and not (
            self.env.su or self._wab_is_user_internal()
        ):
            return False
        return super()._has_field_access(field, operation)

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Override: Odoo groups by a many2many whoever may read it."""
        name = groupby_spec.partition(":")[0]
        if name[:4] == "wab_" and name in self._fields:
            self._check_field_access(self._fields[name], "read")
        return super()._read_group_groupby(alias, groupby_spec, query)

    @api.model
    @ormcache("self.env.uid")
    def _wab_is_user_internal(self):
        """Tell what the user's groups say, forgotten with them when they change."""
        return self.env.user._is_internal()

    # === ACTION METHODS === #

    def action_wab_compose(self):
        """Open our composer for the selected records."""
        return self.env["whatsapp.billing.compose"]._open(self)

    def action_wab_messages(self):
        """Open the messages about this document."""
        self.ensure_one()
        self.env["whatsapp.billing.message"].check_access("read")
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.message_action"
        )
        action["domain"] = self._wab_message_domain()
        action["context"] = {}
        return action

    # === BUSINESS METHODS - RECIPIENTS === #

    def _wab_get_recipients(self, partners=False):
        """Return {record id: partners to write to}: the one answer to who gets it.

        Whoever the caller names; else the recipients chosen on the document; else
        those of the contact that it is addressed to
        (`res.partner._wab_default_recipients`).

        :param partners: ids of res.partner, as other programs pass them
        """
        if not call_arguments.is_absent(partners):
            companies = self._wab_companies()
            given = call_arguments.check_partners(self.env, partners, companies)
            if given:
                return {record.id: given for record in self}
        found, nobody = {}, self.env["res.partner"]
        for company, records in self.grouped(lambda r: r._wab_companies()).items():
            defaults = records._wab_addressees()._wab_default_recipients(company)
            for record in records:
                chosen = record._wab_chosen_recipients()
                found[record.id] = (
                    (chosen and chosen._wab_of_company(company))
                    or defaults.get(record._wab_addressees()._origin.id)
                    or nobody
                )
        return found

    def _wab_read_recipients_now(self):
        """Return what `_wab_get_recipients` does, reading only what it asks for.

        For the claim: an invoice has a hundred columns and a contact as many.
        """
        lean = self.with_context(prefetch_fields=False)
        names = ("company_id", "partner_id", "wab_recipient_ids")
        lean.fetch([name for name in names if name in self._fields])
        contacts = lean._wab_addressees()
        contacts.fetch(ADDRESSEE_FIELDS)
        contacts.commercial_partner_id.fetch(["company_id"])
        return lean._wab_get_recipients()

    def _wab_chosen_recipients(self):
        """Return the recipients chosen on this document; none: its contact's."""
        self.ensure_one()
        if "wab_recipient_ids" in self._fields:
            return self.wab_recipient_ids._origin
        return self.env["res.partner"]

    def _wab_companies(self):
        """Return the companies that these documents are of."""
        return self.company_id or self.env.company

    # === BUSINESS METHODS - WHAT MUST NOT HAVE CHANGED === #

    def _wab_fingerprints(self):
        says = self._wab_fingerprint_sql()
        if not self or says is None:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT d.id, %s FROM %s d
             LEFT JOIN res_company k ON k.id = d.company_id
                 WHERE d.id = ANY(%s)
                """,
                says,
                SQL.identifier(self._table),
                self.ids,
            )
        )
        return {record_id: said for record_id, said in rows if said is not None}

    @api.model
    def _wab_fingerprint_sql(self):
        """Return SQL for what a message and its file say of the record `d`, as a text.

        NULL of what was taken back. `k` is the company of the record.

        :return: None where nothing is compared
        """
        return

    @api.model
    def _wab_columns_sql(self, names):
        """Return SQL for a text of these columns of `d` and the name of its company."""
        company_name = self.env["res.company"]._fields["name"]
        columns = [
            *(SQL.identifier("d", n, to_flush=self._fields[n]) for n in names),
            SQL.identifier("k", "name", to_flush=company_name),
        ]
        return SQL("jsonb_build_array(%s)::text", SQL(", ").join(columns))

    # === BUSINESS METHODS === #

    @api.model
    def _wab_is_document(self):
        """Override: that is what these are."""
        return True

    @api.model
    def _wab_follow_messages(self, messages):
        """Do what new states of messages mean for records of this model."""

    @api.model
    def _wab_usual_types(self):
        """Return the types that a company writes as a matter of course.

        Settings say which of them have no template yet; the rest is for who wants it.
        """
        return set()

    @api.model
    def _wab_all_usual_types(self):
        """Return those of all models."""
        names = self._wab_model_names()
        return set().union(*(self.env[name]._wab_usual_types() for name in names))

    @api.model
    def _wab_kind_switches(self):
        """Return {document type: the company's switch for it}.

        A kind without one is always sent.
        """
        return {}

    @api.model
    @ormcache()
    def _wab_all_kind_switches(self):
        """Return those of all models, as a read-only mapping."""
        switches = {}
        for name in self._wab_model_names():
            switches |= self.env[name]._wab_kind_switches()
        return frozendict(switches)

    @api.model
    def _wab_model_names(self):
        """Return the names of the models whose records are sent."""
        return sorted(self.pool.descendants([self._name], "_inherit") - {self._name})

    @api.model
    def _wab_models_by_type(self):
        """Return {document type: name of the model whose records it is sent for}."""
        return {
            document_type: name
            for name in self._wab_model_names()
            for document_type in self.env[name]._wab_document_types()
        }

    def _wab_message_domain(self):
        """Return which messages are about this record."""
        self.ensure_one()
        return [("res_model", "=", self._name), ("res_id", "=", self.id)]

    def _wab_send(self, method, template=False, partners=False, key=False):
        """Send these as an external system or a user's code asks for it.

        :param template, partners, key, return: as of `account.move.wab_send`
        """
        call_arguments.check_records(self)
        return self._wab_enqueue(
            self._wab_get_recipients(partners),
            method,
            template,
            key,
            explicit=True,
            is_named=bool(partners),
        )

    def _wab_enqueue(self, recipients, method, template=False, key=False, **options):
        """Queue messages about these records; see `whatsapp.billing.message._enqueue`.

        :param recipients: {record id: res.partner records}
        :return: one dictionary per record and recipient
        """
        call_arguments.check_records(self)
        send_request = SendRequest(
            method=method,
            template=call_arguments.check_template(self.env, template),
            key=call_arguments.check_key(self.env, key),
            **options,
        )
        types = self._wab_types(send_request.template)
        return self.env["whatsapp.billing.message"]._enqueue(
            self, recipients, types, send_request
        )

    def _wab_in_savepoint(self, do):
        """Run our part of what accounting does with these; never stop or undo it.

        :return: whether it went well
        """
        try:
            with self.env.cr.savepoint():
                do()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            # A fault of ours is logged; the accounting that called goes on.
            _logger.exception("WhatsApp could not follow %s %s", self._name, self.ids)
            return False
        return True

    def _wab_filename(self):
        return parameters.filename(self._wab_document_name())
