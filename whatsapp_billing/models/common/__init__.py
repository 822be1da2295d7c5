"""Plain helpers of the models; nothing of Odoo is defined here."""
