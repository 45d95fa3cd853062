-- A copy of a database must not fetch, nor hold the key.
UPDATE copaco_connection
   SET active = false, api_key_secret = NULL, api_key_hint = NULL;
