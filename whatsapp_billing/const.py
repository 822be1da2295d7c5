# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Our vocabulary. A provider's own words live in its client."""

METHOD = "whatsapp_billing"
# Test messages, sent to oneself, do not count in a document's WhatsApp status.
TEST_METHOD = "test"
PDF = "application/pdf"
# In the context: a document is made, and nothing is sent.
DOCUMENTS_ONLY = "wab_documents_only"

DOCUMENT_TYPES = [
    ("invoice", "Invoice"),
    ("credit_note", "Credit Note"),
    ("sales_receipt", "Sales Receipt"),
    ("retainer_invoice", "Down Payment Invoice"),
    ("payment_receipt", "Payment Receipt"),
    ("payment_reminder", "Payment Reminder"),
    ("customer_statement", "Customer Statement"),
    ("vendor_statement", "Vendor Statement"),
    ("quotation", "Quotation"),
    ("sales_order", "Sales Order"),
    ("customer_message", "Customer Message"),
    ("vendor_message", "Vendor Message"),
]

# Templates that speak to vendors; they have one number, and no offers.
VENDOR_TYPES = {"vendor_message", "vendor_statement"}

# Entries of customers that can be reminded of.
REMINDABLE_MOVES = ("out_invoice", "out_receipt")

# Payments whose money has come in, whether or not they are in the books yet.
RECEIVED_STATES = ("in_process", "paid")

# What a contact can agree to; `rules.consent` says what follows from that.
PURPOSES = [
    ("billing", "Documents and receipts"),
    ("collections", "Payment reminders"),
    ("marketing", "Offers and news"),
]

CATEGORIES = [
    ("utility", "Utility"),
    ("marketing", "Marketing"),
    ("authentication", "Authentication"),
]

AUDIENCES = [("customer", "Customers"), ("vendor", "Vendors")]

MESSAGE_STATES = [
    ("queued", "Queued"),
    ("sending", "Sending"),
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("read", "Read"),
    ("held", "Held"),
    ("failed", "Failed"),
    ("canceled", "Not sent"),
    ("unknown", "Unknown"),
    ("received", "Received"),
]

REASONS = [
    ("draft", "Draft document"),
    ("cancelled_document", "Cancelled document"),
    ("wrong_document_type", "Wrong document type"),
    ("kind_off", "Kind of document switched off"),
    ("not_enabled", "WhatsApp not enabled"),
    ("not_opted_in", "No consent"),
    ("opted_out", "Opted out"),
    ("no_number", "No number"),
    ("invalid_number", "Invalid number"),
    ("number_changed", "Number changed"),
    ("no_template", "No template"),
    ("template_not_approved", "Template not approved"),
    ("template_unsupported", "Template cannot be sent"),
    ("bad_parameter", "Text does not fit the template"),
    ("file_too_large", "File too large"),
    ("already_paid", "Already paid"),
    ("no_credit", "No credit"),
    ("quiet_hours", "Quiet hours"),
    ("account_inactive", "WhatsApp account not active"),
    ("paused", "Paused"),
    ("disputed", "Disputed"),
    ("no_followup", "No follow-up"),
    ("window_closed", "24 hours are over"),
    ("superseded", "No longer true"),
    ("not_mapped", "Not mapped"),
    ("no_connection", "No connection"),
]

WEBHOOK_ROUTE = "/whatsapp_billing/webhook"
WEBHOOK_MAX_BYTES = 4 * 1024 * 1024

# How long the provider keeps trying to deliver where a template says nothing else.
# Afterwards it drops the message without telling anybody.
MESSAGE_LIFE_DAYS = 30

# A message that was neither confirmed nor denied is sent again only when its
# number's webhook channel was seen alive for this long since.
EVIDENCE_MINUTES = 10
LEASE_SECONDS = 120

TEMPLATE_STATUSES = [
    ("draft", "Draft"),
    ("pending", "Waiting for approval"),
    ("approved", "Approved"),
    ("rejected", "Rejected"),
    ("paused", "Paused"),
    ("disabled", "Disabled"),
    ("deletion_pending", "Deletion in progress"),
    ("deletion_failed", "Deletion failed"),
    ("deleted", "Deleted"),
    ("unknown", "Unknown"),
]
