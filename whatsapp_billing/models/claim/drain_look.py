# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a claim asks of documents within its own statement."""

from collections import defaultdict

from odoo.tools import SQL

from ..document.base import read_look

NOTHING = SQL("NULL::json")


class DocumentLooks:
    """The kinds of document that a drain has met: its next claims look at them at once.

    The threads wait for every statement of a claim. What it will find is not known
    before, and to ask about all there could be takes longer than another statement.
    """

    def __init__(self, env):
        self._env = env
        self._met = set()
        self._asked = set()
        # What the next claim asks of the document of its row `m`, as JSON.
        self.sql = NOTHING

    def take(self, rows):
        """Set `look` on claimed rows that were looked at; remember the others' kinds."""
        for row in rows:
            answer = row.pop("document_look")
            if _kind(row) in self._asked:
                row["look"] = read_look(answer)
        new = {_kind(row) for row in rows if row["res_model"] in self._env} - self._met
        if new:
            self._met |= new
            self._compose()

    def _compose(self):
        companies, with_files = defaultdict(set), set()
        for model, company_id, has_file in self._met:
            companies[model].add(company_id)
            if has_file:
                with_files.add(model)
        self._asked, on, cases = set(), set(), []
        for model, ids in companies.items():
            records = self._env[model]
            look = records._wab_look_sql(model in with_files)
            if look is None:
                continue
            defaults = records._wab_flush_for_look(ids)
            on |= {company_id for company_id in ids if defaults[company_id]}
            cases.append(
                SQL(
                    "WHEN m.res_model = %s AND m.company_id = ANY(%s) THEN %s",
                    model,
                    list(ids),
                    look,
                )
            )
            for has_file in {False, model in with_files}:
                self._asked |= {(model, company_id, has_file) for company_id in ids}
        self.sql = _look_sql(cases, on) if cases else NOTHING


def _kind(row):
    """Return (model, company, whether there is a file) of what a row is about."""
    return row["res_model"], row["company_id"], row["document_state"] == "ready"


def _look_sql(cases, on):
    """Return SQL for the first of these looks that is for the row `m`.

    :param cases: WHEN ... THEN ...
    :param on: ids of companies whose contacts have WhatsApp on without a switch
    """
    return SQL(
        """
        (SELECT CASE %s END
           FROM (SELECT m.id AS message_id, m.res_id, m.partner_id, m.company_id,
                        m.company_id = ANY(%s::int[]) AS is_on,
                        m.document_state = 'ready' AS has_file, m.attachment_id) a)
        """,
        SQL(" ").join(cases),
        list(on),
    )
