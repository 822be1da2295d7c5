# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from freezegun import freeze_time

from odoo.tests import tagged

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
