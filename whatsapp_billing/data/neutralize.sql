-- A restored copy writes to nobody, answers to nobody and knows no secret.
UPDATE whatsapp_billing_account
   SET state = 'inactive',
       state_detail = NULL,
       access_token_cipher = NULL,
       app_secret_cipher = NULL,
       app_secret_previous_cipher = NULL,
       app_secret_changed_at = NULL,
       binding = NULL;

-- New webhook addresses; accounts that proved to be of one app go on sharing theirs.
WITH fresh AS (
    SELECT webhook_token AS old,
           replace(gen_random_uuid()::text, '-', '') AS token,
           replace(gen_random_uuid()::text, '-', '') AS verify_token
      FROM (SELECT DISTINCT webhook_token
              FROM whatsapp_billing_account
             WHERE webhook_token IS NOT NULL) AS addresses
)
UPDATE whatsapp_billing_account account
   SET webhook_token = fresh.token,
       webhook_verify_token = fresh.verify_token
  FROM fresh
 WHERE fresh.old = account.webhook_token;

-- Nobody may register a number of the original with its PIN.
UPDATE whatsapp_billing_phone SET pin_cipher = NULL, is_pin_shown = FALSE;

-- What waits or may be on its way belongs to the original.
UPDATE whatsapp_billing_message
   SET state = 'canceled', reason = 'superseded', lease_until = NULL,
       next_attempt_at = NULL
 WHERE direction = 'out' AND state IN ('queued', 'held', 'sending', 'unknown');

INSERT INTO whatsapp_billing_credit_entry
       (wallet_id, kind, amount, reserved_amount, message_id, attempt_no, date, note)
SELECT wallet_id, 'release', 0, -sum(reserved_amount), message_id,
       count(*) FILTER (WHERE kind = 'release'), now() AT TIME ZONE 'utc', 'Copy'
  FROM whatsapp_billing_credit_entry
 WHERE message_id IN (SELECT id FROM whatsapp_billing_message WHERE state = 'canceled')
 GROUP BY wallet_id, message_id
HAVING sum(reserved_amount) > 0;

UPDATE whatsapp_billing_webhook_event SET state = 'ignored' WHERE state = 'new';

UPDATE queue_job
   SET state = 'cancelled'
 WHERE model_name LIKE 'whatsapp.billing.%'
   AND state IN ('wait_dependencies', 'pending', 'enqueued', 'started', 'failed');
