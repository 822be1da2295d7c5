# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import mute_logger

from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionZones(CollectionCommon):
    """Whose clock counts for quiet hours and working days."""

    def zone(self, partner):
        self.env.flush_all()
        debtors = self.plan._read_debtors(self.company, partner.ids, self.today, {})
        return debtors[partner.id].timezone

    def make(self, number, country=False, tz=False, **values):
        """Return a customer as a clerk with this time zone writes them down."""
        partners = self.env["res.partner"].with_context(tz=tz)
        country = country and self.env.ref(f"base.{country}")
        return partners.create(
            {
                "name": "Zoe Zone",
                "phone": number,
                "country_id": country and country.id,
                **values,
            }
        )

    def test_the_number_tells_where_in_a_large_country(self):
        for number, country, zone in (
            ("+14155552671", "us", "America/Los_Angeles"),
            ("+5592991234567", "br", "America/Manaus"),
            ("+34600000001", "es", "Europe/Madrid"),
            # Without a country, the number's.
            ("+16045551234", False, "America/Vancouver"),
        ):
            self.assertEqual(self.zone(self.make(number, country)), zone)

    def test_the_number_that_counts_is_of_who_gets_the_reminders(self):
        firm = self.make("+12125551234", "us", is_company=True)
        self.assertEqual(self.zone(firm), "America/New_York")
        self.make("+14155552671", parent_id=firm.id, wab_is_default_recipient=True)
        self.assertEqual(self.zone(firm), "America/Los_Angeles")

    def test_the_clock_of_who_wrote_them_down_is_not_theirs(self):
        self.env.user.tz = "Europe/Madrid"
        far = self.make("+14155552671", "us", tz="Europe/Madrid")
        self.assertEqual(far.tz, "Europe/Madrid")
        self.assertEqual(self.zone(far), "America/Los_Angeles")
        near = self.make("+34600000001", "es", tz="Europe/Madrid")
        self.assertEqual(self.zone(near), "Europe/Madrid")
        nowhere = self.make(False, tz="Europe/Madrid")
        self.assertEqual(self.zone(nowhere), "Europe/Madrid")

    def test_a_time_zone_that_was_set_counts(self):
        self.env.user.tz = "Europe/Madrid"
        abroad = self.make("+14155552671", "us", tz="Europe/Madrid")
        abroad.tz = "Asia/Tokyo"
        self.assertEqual(self.zone(abroad), "Asia/Tokyo")

    def test_a_day_off_is_one_day_where_the_company_is(self):
        for tz, begins in (("Europe/Madrid", "23:00"), ("America/Lima", "05:00")):
            calendar = self.env["resource.calendar"].create({"name": tz, "tz": tz})
            first = datetime.fromisoformat(f"2027-01-05 {begins}:00")
            leave = self.env["resource.calendar.leaves"].create(
                {
                    "name": "Epiphany",
                    "calendar_id": calendar.id,
                    "company_id": self.company.id,
                    "date_from": first,
                    "date_to": first + timedelta(hours=23, minutes=59, seconds=59),
                }
            )
            off = self.plan._get_days_off(self.company, date(2026, 12, 1))
            day = 6 if tz.startswith("Europe") else 5
            self.assertEqual(off, {date(2027, 1, day)})
            leave.unlink()

    @mute_logger("odoo.addons.whatsapp_billing.models.collection.plan_run")
    def test_plan_that_raises_leaves_the_quiet_hours_of_others_kept(self):
        other = self._make_plan(name="Other", sequence=99)
        (self.plan | other).write({"quiet_start": 20, "quiet_end": 8})
        partners = [self._make_customer(f"F{n}", f"+3460000030{n}") for n in range(2)]
        for partner in partners:
            partner.tz = "Europe/Madrid"
            self.make_due(1, partner)
        evening = datetime.combine(self.day(1), time(15))
        with freeze_time(evening):
            self.run_plan(1)
        mine = self.reminders()
        self.assertEqual(mine.mapped("state"), ["queued", "queued"])
        mine[1].collection_plan_id = other
        self.env.flush_all()
        model = type(self.plan)
        original = model._hold_until

        def hold(plans, message_ids, wakes):
            if mine[0].id in message_ids:
                plans.env.cr.execute("SELECT 1/0")
            return original(plans, message_ids, wakes)

        self.patch(model, "_hold_until", hold)
        with mute_logger("odoo.sql_db"), freeze_time(evening + timedelta(hours=6)):
            self.run_cron("ir_cron_quiet_hours")
        self.assertEqual(mine.mapped("state"), ["queued", "held"])

    def test_what_waits_too_long_waits_for_the_morning(self):
        self.plan.write({"quiet_start": 20, "quiet_end": 8})
        madrid = self._make_customer("Madrid", "+34600000066")
        lima = self._make_customer("Lima", "+51987654321")
        madrid.tz, lima.tz = "Europe/Madrid", "America/Lima"
        for partner in (madrid, lima):
            self.make_due(1, partner)
        evening = datetime.combine(self.day(1), time(15))
        with freeze_time(evening):
            self.run_plan(1)
        self.assertEqual(set(self.reminders().mapped("state")), {"queued"})
        self.accept_everything()
        # Ten in the evening in Madrid, four in the afternoon in Lima.
        with freeze_time(evening + timedelta(hours=6)):
            self.run_cron("ir_cron_quiet_hours")
            self.drain()
        held, sent = self.reminders(madrid), self.reminders(lima)
        self.assertEqual((held.state, held.reason), ("held", "quiet_hours"))
        self.assertEqual(sent.state, "sent")
        self.assertEqual(held.next_attempt_at.hour, 7 - self.summer(held))
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET next_attempt_at = %s WHERE id = %s",
            [self.ago(minutes=1), held.id],
        )
        self.run_cron("ir_cron_outbox")
        self.assertEqual(held.state, "sent")

    def summer(self, message):
        """Return the hours by which Madrid is ahead of its winter then."""
        zone = ZoneInfo("Europe/Madrid")
        at = message.next_attempt_at.replace(tzinfo=zone)
        return int(at.dst() / timedelta(hours=1))


@tagged("post_install", "-at_install")
class TestCollectionDays(CollectionCommon):
    """Which day it is: where the customer is, not in UTC (odoo/odoo#149971)."""

    DUE = date(2027, 3, 9)

    def make_in(self, country, number, due=None, **values):
        """Return an invoice that is due on a day, of a customer in a country."""
        partner = self._make_customer(
            f"In {country}",
            number,
            country_id=self.env.ref(f"base.{country}").id,
            **values,
        )
        partner.tz = False
        self.today = due or self.DUE
        return self.make_due(0, partner)

    def run_at(self, moment):
        """Run the plan as the cron does, at a moment in UTC; return what was said."""
        with freeze_time(moment):
            for _figures in self.plan._run(
                self.company, self.plan._get_moment(self.company)
            ):
                pass
            self.env.invalidate_all()
        return self.reminders()

    def move_company(self, country):
        self.company.partner_id.write(
            {"tz": False, "country_id": self.env.ref(f"base.{country}").id}
        )

    def test_the_evening_of_the_due_day_in_mexico_is_not_the_day_after(self):
        self.move_company("mx")
        invoice = self.make_in("mx", "+525512345678")
        # 21:00 of the due day there.
        self.assertFalse(self.run_at("2027-03-10 03:00:00"))
        self.assertEqual(self.case(invoice).reason, "not_due")
        self.assertEqual(self.case(invoice).decided_on, self.DUE)
        message = self.run_at("2027-03-11 03:00:00")
        self.assertEqual(message.res_id, invoice.id)
        self.assertEqual(self.case(invoice).last_date, date(2027, 3, 10))

    def test_customers_ahead_and_behind_have_days_of_their_own(self):
        self.move_company("mx")
        ahead = self.make_in("nz", "+64211234567")
        behind = self.make_in("us", "+18085551234")
        # Still the due day in Mexico, the next in Auckland since eleven hours.
        self.assertEqual(self.run_at("2027-03-09 22:00:00").res_id, ahead.id)
        self.assertEqual(self.case(ahead).last_date, date(2027, 3, 10))
        # The next day in Mexico; in Honolulu it is 22:00 of the due day.
        self.assertEqual(len(self.run_at("2027-03-10 08:00:00")), 1)
        self.assertEqual(len(self.run_at("2027-03-10 11:00:00")), 2)
        self.assertEqual(self.reminders()[-1].res_id, behind.id)

    def test_due_today_is_not_overdue(self):
        step = self.plan.step_ids[0]
        step.write({"days": 0, "condition": "overdue_days", "threshold": 1})
        self.move_company("mx")
        invoice = self.make_in("mx", "+525512345678")
        self.assertFalse(self.run_at("2027-03-10 03:00:00"))
        self.assertEqual(self.case(invoice).reason, "condition_not_met")

    def test_the_day_that_a_reminder_takes_is_the_customers(self):
        self.move_company("mx")
        invoice = self.make_in("nz", "+64211234567")
        with freeze_time("2027-03-09 22:00:00"):
            invoice.with_user(self.clerk).wab_remind()
        followups = self.followups.search([("debtor_id", "=", invoice.partner_id.id)])
        self.assertEqual(followups.day, date(2027, 3, 10))
        self.assertEqual(len(self.run_at("2027-03-10 01:00:00")), 1)

    def test_by_hand_what_is_due_where_the_customer_is(self):
        """The rest is due on the last day of February, where that has begun."""
        self.move_company("mx")
        moves = []
        for country, number in (("nz", "+64211234567"), ("mx", "+525512345678")):
            self.partner = self.make_in(country, number).partner_id
            moves.append(self.make_instalments(date(2027, 1, 10)))
            self.assertEqual(len(moves[-1]._wab_open_lines()), 2, country)
        ahead, behind = moves
        first, both = [30.0], [30.0, 70.0]
        for moment, *expected in (
            ("2027-02-27 10:00:00", first, first),
            ("2027-02-27 12:00:00", both, first),
            ("2027-02-28 03:00:00", both, first),
            ("2027-02-28 07:00:00", both, both),
        ):
            with freeze_time(moment):
                entries = (ahead | behind)._wab_reminded_lines()
            said = [[e.amount for e in entries[move.id]] for move in moves]
            self.assertEqual(said, expected, moment)

    def test_nights_on_which_the_clock_changes(self):
        self.plan.write({"quiet_start": 20, "quiet_end": 8})
        invoice = self.make_in("es", "+34600000066", due=date(2027, 3, 26))
        # 28 March 2027, 02:00 becomes 03:00 in Madrid: 06:00 UTC is 08:00 there.
        message = self.run_at("2027-03-28 00:30:00")
        self.assertEqual(message.res_id, invoice.id)
        self.assertEqual(message.next_attempt_at, datetime(2027, 3, 28, 6, 0))
        self.assertEqual(self.case(invoice).last_date, date(2027, 3, 28))

    def test_the_company_is_where_its_country_is(self):
        for country, zone in (("mx", "America/Mexico_City"), ("es", "Europe/Madrid")):
            self.move_company(country)
            self.assertEqual(self.company._wab_time_zone(), zone)
        self.company.partner_id.tz = "America/Tijuana"
        self.assertEqual(self.company._wab_time_zone(), "America/Tijuana")

    def test_settings_say_where_no_time_zone_can_be_known(self):
        settings = self.env["res.config.settings"].with_company(self.company)
        self.move_company("es")
        self.company.phone = False
        self.assertIn("Spain", settings.create({}).wab_time_zone_hint)
        self.move_company("fr")
        self.assertFalse(settings.create({}).wab_time_zone_hint)
        self.company.partner_id.country_id = False
        self.assertIn("UTC", settings.create({}).wab_time_zone_hint)
        self.company.partner_id.tz = "Europe/Madrid"
        self.assertFalse(settings.create({}).wab_time_zone_hint)
