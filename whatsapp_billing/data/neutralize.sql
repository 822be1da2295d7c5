-- A restored copy writes to nobody, answers to nobody and knows no secret.
UPDATE whatsapp_billing_account
   SET state = 'inactive',
       state_detail = NULL,
       access_token_cipher = NULL,
       app_secret_cipher = NULL,
       app_secret_previous_cipher = NULL,
       app_secret_changed_at = NULL,
       binding = NULL;

-- New webhook addresses; accounts of one app go on sharing theirs.
WITH fresh AS (
    SELECT COALESCE(NULLIF(app_uid, ''), 'account ' || id) AS app,
           replace(gen_random_uuid()::text, '-', '') AS token,
           replace(gen_random_uuid()::text, '-', '') AS verify_token
      FROM (SELECT min(id) AS id, app_uid
              FROM whatsapp_billing_account
             WHERE app_uid != ''
          GROUP BY app_uid
             UNION ALL
            SELECT id, NULL
              FROM whatsapp_billing_account
             WHERE app_uid IS NULL OR app_uid = '') AS apps
)
UPDATE whatsapp_billing_account account
   SET webhook_token = fresh.token,
       webhook_verify_token = fresh.verify_token
  FROM fresh
 WHERE fresh.app = COALESCE(NULLIF(account.app_uid, ''), 'account ' || account.id);

-- What waits or may be on its way belongs to the original.
UPDATE whatsapp_billing_message
   SET state = 'canceled', reason = 'superseded', lease_until = NULL,
       next_attempt_at = NULL
 WHERE direction = 'out' AND state IN ('queued', 'held', 'sending', 'unknown');

UPDATE whatsapp_billing_webhook_event SET state = 'ignored' WHERE state = 'new';

UPDATE queue_job
   SET state = 'cancelled'
 WHERE model_name LIKE 'whatsapp.billing.%'
   AND state IN ('wait_dependencies', 'pending', 'enqueued', 'started', 'failed');
