# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models


class WhatsappBillingCollectionChannel(models.AbstractModel):
    """One way in which a plan's step comes to the customer.

    The rules decide who is followed up about what, whatever the channel
    (`rules/dunning.py`); a channel says what that means. `<this name>.<value>` is the
    channel of the steps whose `channel` has that value; `doc/channels.md` shows how to
    add one.
    """

    _name = "whatsapp.billing.collection.channel"
    _description = "Channel of Collection Steps"

    # Among the figures of a run and the lists of a preview: what went by it.
    _figure = None

    # === HOOKS === #

    @api.model
    def _prepare(self, company, ledger, drafts):
        """Give each draft `all_planned`: what goes to whom. Writes nothing.

        Something of it has `will_be_queued`; where nothing has, the `decision` of the
        first says why (`rules.eligibility.Decision`). A preview ends here.

        :param drafts: `ReminderDraft` of one day, one for each customer
        """
        raise NotImplementedError

    @api.model
    def _carry_out(self, ledger, drafts, decisions):
        """Do what was prepared, once the customers' days are taken.

        :param drafts: those of which something goes; `told` gets the columns of their
            follow-ups that say what was done
        :param decisions: {line id: `rules.dunning.LineDecision`}
        """
        raise NotImplementedError

    @api.model
    def _describe(self, day, draft):
        """Return a dictionary for each of what the draft plans, for a preview."""
        raise NotImplementedError

    @api.model
    def _count(self, draft):
        """Return how many of its figure went with a draft."""
        return len(draft.all_planned)

    @api.model
    def _describe_count(self, number):
        """Return in words how many of its figure went in a run."""
        names = dict(
            self.env["whatsapp.billing.collection.step"]
            ._fields["channel"]
            ._description_selection(self.env)
        )
        name = names[self._name.rpartition(".")[2]]
        return self.env._("%(channel)s: %(n)s", channel=name, n=number)

    @api.model
    def _get_template_problem(self, step):
        """Return why a step's template cannot go now, "" when it can or none is used."""
        return ""

    # === BUSINESS METHODS === #

    @api.model
    def _of(self, name):
        """Return the channel of a value of `channel`."""
        return self.env[f"whatsapp.billing.collection.channel.{name}"]

    @api.model
    def _split(self, drafts):
        """Yield (channel, its drafts)."""
        names = dict.fromkeys(draft.reminder.channel for draft in drafts)
        for name in names:
            yield (
                self._of(name),
                [draft for draft in drafts if draft.reminder.channel == name],
            )

    @api.model
    def _get_all(self):
        """Return the channels that there are."""
        steps = self.env["whatsapp.billing.collection.step"]
        return [
            self._of(name) for name in steps._fields["channel"].get_values(self.env)
        ]
