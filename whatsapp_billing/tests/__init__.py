"""Tests in Odoo, on a database with the module (`make test`).

Begin with `common.py` (a connected company with people and a customer; HTTP is answered
in memory) and `lifecycle_common.py` (sends through the real drain and inbox);
`collection_common.py`, `credit_common.py` and `rights_common.py` add plans, a wallet
and two companies. A file is named after what it asks of: `test_message_sending.py`.
`access_table.csv` says who may read, write and call what; `toy_outbox.py` is the
smallest queue. What two transactions do to each other is in `tests/e2e`.
"""

from . import test_account
from . import test_account_events
from . import test_account_guard
from . import test_account_number
from . import test_account_tour
from . import test_automation
from . import test_claim_look
from . import test_claim_recipients
from . import test_call_arguments
from . import test_changed_number
from . import test_collection_answer
from . import test_collection_around
from . import test_collection_bad
from . import test_collection_case
from . import test_collection_channels
from . import test_collection_inbound
from . import test_collection_money
from . import test_collection_night
from . import test_collection_ready
from . import test_collection_run
from . import test_collection_screens
from . import test_collection_statement
from . import test_collection_text
from . import test_collection_tours
from . import test_collection_zones
from . import test_composer
from . import test_consent
from . import test_credit_dialogs
from . import test_credit_ledger
from . import test_credit_tours
from . import test_credit_wallet
from . import test_document_changed
from . import test_document_kinds
from . import test_document_made
from . import test_document_names
from . import test_document_recipients
from . import test_document_screens
from . import test_engine_guards
from . import test_growth
from . import test_inbound
from . import test_inbound_batch
from . import test_javascript
from . import test_message_attempts
from . import test_message_failures
from . import test_message_queueing
from . import test_message_receipts
from . import test_message_rows
from . import test_message_sending
from . import test_message_views
from . import test_multicompany
from . import test_neutralize
from . import test_partner_consent
from . import test_partner_enable
from . import test_payment_receipts
from . import test_partner_merge
from . import test_person_key
from . import test_retention
from . import test_rights_asked
from . import test_rights_conditions
from . import test_rights_credits
from . import test_rights_lines
from . import test_rights_messages
from . import test_rights_rows
from . import test_rights_system_rows
from . import test_rights_table
from . import test_rights_wire
from . import test_savepoint
from . import test_secrets
from . import test_send_dialog
from . import test_still_true
from . import test_template
from . import test_template_audience
from . import test_template_file
from . import test_template_form
from . import test_template_language
from . import test_template_parts
from . import test_template_render
from . import test_template_rights
from . import test_tours
from . import test_webhook_evidence
from . import test_customer_corrected
from . import test_customer_corrected_told
from . import test_worker_budget
from . import test_worker_outbox
