import {registry} from "@web/core/registry";

/**
 * As Odoo's `display_notification`, with buttons: its links open another tab.
 */
function notify(env, {params}) {
    const close = env.services.notification.add(params.message, {
        title: params.title || undefined,
        type: params.type,
        sticky: true,
        buttons: params.buttons.map(({name, action}) => ({
            name,
            onClick: () => {
                close();
                env.services.action.doAction(action);
            },
        })),
    });
    return params.next;
}

registry.category("actions").add("copaco_notification", notify);
