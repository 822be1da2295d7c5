# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The last look at many documents at once: one query for all messages of a claim.

Who gets a document is `_wab_get_recipients`' to say, and only its: here SQL finds those
messages whose recipient plainly is still among them, so that it need not be asked. Any
doubt is a no, and a no is asked.
"""

from odoo import api, models
from odoo.tools import SQL

from ..common.overrides import has_methods_of
from .base import Base, File, read_look
from .document_mixin import WhatsappBillingDocumentMixin as Document

# The SQL below answers like these methods. A model on which any module overrides one is
# asked by method, record by record.
DOCUMENT_METHODS = (
    "_wab_chosen_recipients",
    "_wab_companies",
    "_wab_fingerprints",
    "_wab_get_recipients",
)
BASE_METHODS = ("_wab_addressees", "_wab_document_partner")
PARTNER_FIELDS = (
    "active",
    "commercial_partner_id",
    "company_id",
    "phone",
    "wab_recipient",
    "wab_enabled",
    "wab_is_default_recipient",
    "wab_number",
)
NULL = SQL("NULL")
# SQL: the recipient `r` gets what is addressed to the customer of `p`.
FOR_THE_CUSTOMER = SQL(
    """
    ((r.active AND r.wab_is_default_recipient
      AND r.commercial_partner_id = p.commercial_partner_id)
     OR (r.id = p.commercial_partner_id AND NOT EXISTS (
         SELECT 1 FROM res_partner t
          WHERE t.commercial_partner_id = p.commercial_partner_id
            AND t.active AND t.wab_is_default_recipient)))
    """
)
# SQL: WhatsApp is on for `p` in the company of `a`.
IS_ON = SQL("COALESCE((p.wab_enabled ->> a.company_id::text)::boolean, a.is_on)")


class WhatsappBillingDocumentMixin(models.AbstractModel):
    _inherit = "whatsapp.billing.document.mixin"

    # === BUSINESS METHODS - AT THE CLAIM === #

    @api.model
    def _wab_ask_again(self, rows):
        """Override: one query for all of it."""
        look = self._wab_look_sql(any(row["document_state"] == "ready" for row in rows))
        if look is None:
            return super()._wab_ask_again(rows)
        found = self.env.execute_query(
            SQL("SELECT a.message_id, %s FROM %s", look, self._wab_asked_sql(rows))
        )
        return {message_id: read_look(answer) for message_id, answer in found}

    @api.model
    def _wab_look_sql(self, has_files):
        """Override: one row found by its id, and what hangs on it."""
        says, facts = self._wab_fingerprint_sql(), self._wab_facts_sql()
        if says is None or facts is None or not self._wab_is_plain():
            return super()._wab_look_sql(has_files)
        return SQL(
            """
            (SELECT json_build_array(
                        %(says)s, %(gets_it)s, %(state)s, %(payment)s, %(is_off)s,
                        d.partner_id, %(file)s, %(contact)s)
               FROM %(table)s d
          LEFT JOIN res_company k ON k.id = d.company_id
          LEFT JOIN res_partner p ON p.id = d.partner_id
          LEFT JOIN res_partner r ON r.id = a.partner_id
          LEFT JOIN res_company c ON c.id = a.company_id
                 %(files)s
              WHERE d.id = a.res_id)
            """,
            says=says,
            gets_it=self._wab_gets_it_sql(),
            state=facts.get("document_state", NULL),
            payment=facts.get("payment_state", NULL),
            is_off=facts.get("is_off", NULL),
            contact=self.env["res.partner"]._wab_contact_sql(),
            table=SQL.identifier(self._table),
            **self._wab_files_sql(has_files),
        )

    @api.model
    def _wab_facts_sql(self):
        """Return SQL for what `_wab_document_facts` says of `d`, by the same names.

        And `is_off` for its own switch. What is left out is NULL.

        :return: None where the records are asked one by one
        """
        return

    @api.model
    def _wab_file_sql(self):
        """Return SQL for whether the attachment `f` is the file of the document `d`."""
        return SQL("f.id = a.attachment_id")

    @api.model
    def _wab_files_sql(self, has_files):
        """Return the columns of `File` and where they are read; no query without files."""
        if not has_files:
            return {"file": SQL(", ").join([NULL] * len(File._fields)), "files": SQL()}
        return {
            "file": SQL("f.id, f.store_fname, f.checksum, f.mimetype, f.description"),
            "files": SQL(
                """
                LEFT JOIN LATERAL (
                          SELECT * FROM ir_attachment f WHERE a.has_file AND %s
                        ORDER BY f.id DESC LIMIT 1) f ON TRUE
                """,
                self._wab_file_sql(),
            ),
        }

    @api.model
    def _wab_is_plain(self):
        """Tell whether who gets these is found as it is written here."""
        partners = self.env["res.partner"]
        return (
            {"partner_id", "company_id"} <= self._fields.keys()
            and has_methods_of(self, Base, BASE_METHODS)
            and has_methods_of(self, Document, DOCUMENT_METHODS)
            and partners._wab_is_plain_recipient()
        )

    @api.model
    def _wab_asked_sql(self, rows):
        """Return SQL for the messages that are asked about, as table `a`; flushes."""
        defaults = self._wab_flush_for_look({row["company_id"] for row in rows})
        return SQL(
            """
            unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::boolean[],
                   %s::boolean[], %s::int[])
                AS a (message_id, res_id, partner_id, company_id, is_on, has_file,
                      attachment_id)
            """,
            [row["id"] for row in rows],
            [row["res_id"] for row in rows],
            [row["partner_id"] for row in rows],
            [row["company_id"] for row in rows],
            [defaults[row["company_id"]] for row in rows],
            [row["document_state"] == "ready" for row in rows],
            [row["attachment_id"] for row in rows],
        )

    @api.model
    def _wab_flush_for_look(self, company_ids):
        """Write what the queries here read besides the columns that they name.

        :return: {company id: whether WhatsApp is on for contacts without a switch}
        """
        partners = self.env["res.partner"]
        partners.flush_model(PARTNER_FIELDS)
        self.flush_model(["company_id", "partner_id"])
        switch = partners._fields["wab_enabled"]
        return {
            company.id: bool(
                switch.get_company_dependent_fallback(partners.with_company(company))
            )
            for company in self.env["res.company"].browse(company_ids)
        }

    @api.model
    def _wab_gets_it_sql(self):
        """Return SQL for whether the contact `r` plainly gets the document `d`.

        `p` is the contact that it is addressed to, `k` its company.
        """
        return self._wab_with_chosen_sql(
            SQL(
                """
                WHEN p.id != p.commercial_partner_id
                     AND (p.wab_is_default_recipient OR p.wab_recipient != '')
                THEN r.id = p.id
                WHEN p.id = p.commercial_partner_id
                     OR (COALESCE(p.wab_number, '') = '' AND COALESCE(p.phone, '') = ''
                         AND NOT %s)
                THEN %s
                """,
                IS_ON,
                FOR_THE_CUSTOMER,
            )
        )

    @api.model
    def _wab_with_chosen_sql(self, otherwise):
        """Return SQL that asks the recipients chosen on `d` first, if there are any.

        :param otherwise: what follows of the CASE
        """
        field = self._fields.get("wab_recipient_ids")
        chosen = SQL("NULL")
        if field:
            # NULL where the document has no chosen recipients: its customer's then
            # count.
            chosen = SQL(
                "(SELECT bool_or(x.%s = r.id AND r.active IS TRUE)"
                " FROM %s x WHERE x.%s = d.id)",
                SQL.identifier(field.column2),
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
            )
        return SQL(
            """
            COALESCE(
                d.company_id = a.company_id
                AND (r.company_id IS NULL
                     OR r.company_id::text = ANY(string_to_array(k.parent_path, '/')))
                AND COALESCE(%s, CASE %s END),
                FALSE)
            """,
            chosen,
            otherwise,
        )


def reminded_sql(moves):
    """Return SQL for whether `r` is plainly whom a plan reminds of the invoice `d`.

    `p` is the debtor; without a number and the switch of its own a plan looks further.
    """
    return moves._wab_with_chosen_sql(
        SQL(
            """
            WHEN p.id = p.commercial_partner_id
            THEN %s AND (r.id != p.id OR (p.wab_recipient != '' AND %s))
            """,
            FOR_THE_CUSTOMER,
            IS_ON,
        )
    )
