"""Scheduled actions are not updated with the addon, as an administrator may have
changed them: what they call, and the names that nobody changed."""

NAMES = {
    "Copaco: go on with interrupted fetches": "Copaco: resume interrupted fetches",
    "Copaco: make invoices of what came": "Copaco: create invoices",
    "Copaco: warn in time": "Copaco: check alerts",
    "Copaco: mail what waits": "Copaco: weekly digest",
}


def migrate(cr, version):
    cr.execute(
        """
        UPDATE ir_act_server action
           SET code = 'model._cron_check_alerts()'
          FROM ir_cron cron
          JOIN ir_model_data data
            ON data.model = 'ir.cron' AND data.res_id = cron.id
         WHERE action.id = cron.ir_actions_server_id
           AND data.module = 'account_copaco' AND data.name = 'ir_cron_watch'
        """
    )
    cr.execute(
        """
        UPDATE ir_model_data
           SET name = replace(name, 'ir_cron_watch', 'ir_cron_check_alerts')
         WHERE module = 'account_copaco' AND name LIKE 'ir_cron_watch%'
        """
    )
    for old_name, name in NAMES.items():
        values = {"old": old_name, "new": name}
        cr.execute(
            """
            UPDATE ir_act_server
               SET name = jsonb_set(name, '{en_US}', to_jsonb(%(new)s::text))
             WHERE name ->> 'en_US' = %(old)s
            """,
            values,
        )
        cr.execute(
            "UPDATE ir_cron SET cron_name = %(new)s WHERE cron_name = %(old)s", values
        )
