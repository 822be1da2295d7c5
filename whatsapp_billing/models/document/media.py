# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models

from ...clients.whatsapp import PROFILES


class WhatsappBillingMedia(models.Model):
    """A file as the provider knows it: uploaded once per number within its life."""

    _name = "whatsapp.billing.media"
    _inherit = ["whatsapp.billing.system.rows.mixin"]
    _description = "WhatsApp Uploaded File"
    _rec_name = "media_uid"

    phone_id = fields.Many2one(
        "whatsapp.billing.phone", required=True, ondelete="cascade"
    )
    checksum = fields.Char(required=True, help="SHA-1 of the content.")
    media_uid = fields.Char(required=True)
    uploaded_at = fields.Datetime(required=True, default=fields.Datetime.now)

    _once_per_number = models.UniqueIndex(
        "(phone_id, checksum)", "This file was uploaded before."
    )

    @api.model
    def _find(self, phone, checksums, now):
        """Return {checksum: media uid} of files that the provider still has."""
        profile = phone.account_id._get_profile()
        rows = self.search(
            [
                ("phone_id", "=", phone.id),
                ("checksum", "in", list(checksums)),
                ("uploaded_at", ">", now - timedelta(days=profile.media_days)),
            ]
        )
        return {row.checksum: row.media_uid for row in rows}

    @api.model
    def _store(self, phone_id, uploads):
        """Remember uploads; a newer id replaces an older one.

        :param uploads: {checksum: media uid}
        """
        if uploads:
            self.env.cr.execute(
                """
                INSERT INTO whatsapp_billing_media
                       (phone_id, checksum, media_uid, uploaded_at)
                SELECT %s, v.checksum, v.media_uid, %s
                  FROM unnest(%s::varchar[], %s::varchar[]) v (checksum, media_uid)
                ON CONFLICT (phone_id, checksum) DO UPDATE
                   SET media_uid = excluded.media_uid,
                       uploaded_at = excluded.uploaded_at
                """,
                [
                    phone_id,
                    fields.Datetime.now(),
                    list(uploads),
                    list(uploads.values()),
                ],
            )

    @api.model
    def _forget(self, phone_id, checksums):
        """Drop ids that the provider refused, so that the file goes up again."""
        self.env.cr.execute(
            "DELETE FROM whatsapp_billing_media WHERE phone_id = %s "
            "AND checksum = ANY(%s)",
            [phone_id, list(checksums)],
        )

    @api.autovacuum
    def _gc_expired(self):
        days = max(profile.media_days for profile in PROFILES.values())
        limit = fields.Datetime.now() - timedelta(days=days)
        self.search([("uploaded_at", "<", limit)]).unlink()
