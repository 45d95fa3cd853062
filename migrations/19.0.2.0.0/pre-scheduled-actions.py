def migrate(cr, version):
    """Scheduled actions are not updated with the addon: give the one that got another
    method what it calls now."""
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
