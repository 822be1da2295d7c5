# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who may read a row, whom it may be handed to, and what only the system writes.

Access rights and record rules (`security/`) say which models and companies a group
has. What they cannot say is said here, once for all our models: a row can be as
readable as the document that it speaks of, and a field can be the system's.
"""

from collections import defaultdict
from functools import partial

from odoo import api, models
from odoo.fields import Command, Domain
from odoo.tools import SQL

# In the context: a search is for a page of rows, at most so many.
PAGE = "whatsapp_billing_page"
PAGE_ROWS = 1000


class WhatsappBillingLinksMixin(models.AbstractModel):
    """Rows, and dialogs, that name nothing which their writer may not read.

    A relation takes any id, and Odoo tells the name of what it leads to.
    """

    _name = "whatsapp.billing.links.mixin"
    _description = "Links to What Its Writer May Read"

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse rows that are linked to what their writer may not read."""
        if not self.env.su:
            self._check_links([self._get_given_defaults(vals_list), *vals_list])
        return super().create(vals_list)

    def write(self, vals):
        """Refuse links to what the writer may not read."""
        if not self.env.su:
            self._check_links([vals])
        return super().write(vals)

    def onchange(self, values, field_names, fields_spec):
        """Refuse to fill in a form that names what its user may not read.

        Nothing of it is written yet, and what is computed of it is shown.
        """
        if not self.env.su:
            given = self._get_given_defaults([values])
            found = defaultdict(set)
            _find_links(self, given | values, found)
            self._check_found(found)
        return super().onchange(values, field_names, fields_spec)

    @api.model
    def _get_given_defaults(self, vals_list):
        """Return what a caller gives in the context, and what users keep as default."""
        start = "default_"
        kept = self.env["ir.default"]._get_model_defaults(self._name)
        return {
            name: value
            for name, value in kept.items()
            if any(name not in vals for vals in vals_list)
        } | {
            name.removeprefix(start): value
            for name, value in self.env.context.items()
            if name.startswith(start)
        }

    @api.model
    def _check_links(self, vals_list):
        """Check the records that these values name, once for each model."""
        found = defaultdict(set)
        for vals in vals_list:
            for name, value in vals.items():
                field = self._fields.get(name)
                if field is None or not field.relational or not value:
                    continue
                ids = [value] if field.type == "many2one" else _linked_ids(value)
                found[field.comodel_name].update(ids)
        self._check_found(found)

    @api.model
    def _check_found(self, found):
        """Check that the user may read the records of {model: ids}."""
        for comodel_name, ids in found.items():
            self.env[comodel_name].browse(ids).exists().check_access("read")

    def _as_creator(self):
        """Return one row with the rights of whoever made it, or of the user.

        Odoo computes what is stored as superuser, and whenever it comes to it. Who made
        it is asked of the row that is saved: of a form, a call says anything.
        """
        return self.with_user(self._origin.create_uid or self.env.user)


class WhatsappBillingRightsMixin(models.AbstractModel):
    """Rows that are readable as what they speak of, and stay where they belong.

    A model says in `_get_reading_sql` what its rows follow, and in `_system_fields`
    what no user may write, whatever a form shows (`system_fields.py`).
    """

    _name = "whatsapp.billing.rights.mixin"
    _inherit = ["whatsapp.billing.system.fields.mixin", "whatsapp.billing.links.mixin"]
    _description = "Who May Read and Change It"

    # === CRUD METHODS === #

    def write(self, vals):
        """Refuse giving rows away.

        Odoo asks its rules before it writes only: here the row must be its writer's
        afterwards too, so that nobody hands it to another company.
        """
        result = super().write(vals)
        if not self.env.su:
            self.check_access("write")
        return result

    # === BUSINESS METHODS - ACCESS === #

    @api.model
    def _get_reading_sql(self, alias, query):
        """Return the condition for rows that the user may read, None for no more.

        Beside the rules, which hold as well. Called as the user.

        :param str alias: how the table of this model is called in the query
        :param query: the query that the condition will be part of
        """
        return

    @api.model
    def _readable_sql(self, model, reference):
        """Return whether the user may read the record that an SQL expression names.

        PostgreSQL hashes the table where many are asked for. A page has few rows,
        which the planner does not see: OFFSET keeps it from hashing, and each row is
        looked up by its key.
        """
        if model not in self.env or not self.env[model].has_access("read"):
            return SQL("FALSE")
        query = self.env[model].with_context(active_test=False)._search(Domain.TRUE)
        if query.is_empty():
            return SQL("FALSE")
        query.add_where(SQL("%s = %s", SQL.identifier(query.table, "id"), reference))
        page = SQL(" OFFSET 0") if self.env.context.get(PAGE) else SQL()
        return SQL("EXISTS (%s%s)", query.select(SQL("1")), page)

    @api.model
    def _get_reading_domain(self):
        """Return `_get_reading_sql` as a domain, for the present user."""

        def to_sql(_model, alias, query):
            return self._get_reading_sql(alias, query) or SQL("TRUE")

        return Domain.custom(to_sql=to_sql)

    @api.model
    def _search(
        self, domain, offset=0, limit=None, order=None, *, bypass_access=False, **kwargs
    ):
        """Find only what the user may read, as `mail.message` does.

        Lists, counts, groups, exports and relations all come through here.
        """
        if not (self.env.su or bypass_access):
            page = self.with_context(**{PAGE: bool(limit and limit <= PAGE_ROWS)})
            domain = Domain(domain) & page._get_reading_domain()
        return super()._search(
            domain, offset, limit, order, bypass_access=bypass_access, **kwargs
        )

    def _check_access(self, operation):
        """Forbid what may not be read, whatever is to be done with it."""
        result = super()._check_access(operation)
        rows = self - result[0] if result else self
        rows = rows.filtered("id")
        if not rows or operation == "create":
            return result
        # sudo: only what `_get_reading_sql` asks of the user; the rules were asked
        query = (
            self.sudo()
            .with_context(active_test=False)
            ._search(Domain("id", "in", rows.ids))
        )
        condition = self._get_reading_sql(query.table, query)
        if condition is None:
            return result
        query.add_where(condition)
        forbidden = rows - self.browse(query)
        if not forbidden:
            return result
        forbidden |= result[0] if result else self.browse()
        make_error = self.env["ir.rule"]._make_access_error
        return forbidden, partial(make_error, operation, forbidden)


def _linked_ids(commands):
    """Return the ids of existing records that x2many commands link."""
    ids = []
    for command in commands:
        if isinstance(command, int):
            ids.append(command)
        elif command[0] == 4:
            ids.append(command[1])
        elif command[0] == 6:
            ids += command[2]
    return ids


def _find_links(row, values, found):
    """Add to {model: ids} what a form names that its saved row does not.

    Its lines are in it as commands, the row whose line it is as a dictionary, each with
    values of its own.

    :param row: the row that the form is of, none for a new one
    """
    for name, value in values.items():
        field = row._fields.get(name)
        if field is None or not field.relational or not value:
            continue
        comodel = row.env[field.comodel_name]
        known = set(row[name].ids) if row and field.store else set()
        for one in [value] if field.type == "many2one" else value:
            ids, inner = _read_form_link(one)
            found[comodel._name].update(set(ids) - known)
            if inner:
                _find_links(comodel.browse(ids), inner, found)


def _read_form_link(value):
    """Return ids of existing records, and the values that a form has of one."""
    if isinstance(value, dict):
        record_id = value.get("id")
        ids, inner = [record_id] if isinstance(record_id, int) else [], value
    elif isinstance(value, int):
        ids, inner = [value], None
    elif value[0] in (Command.CREATE, Command.UPDATE):
        ids = [value[1]] if value[0] == Command.UPDATE else []
        inner = value[2]
    else:
        ids, inner = _linked_ids([value]), None
    return [record_id for record_id in ids if isinstance(record_id, int)], inner
