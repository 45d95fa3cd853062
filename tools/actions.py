"""What a button returns to Odoo's web client."""


def soft_reload():
    """:return: the action that shows the same page anew"""
    return {"type": "ir.actions.client", "tag": "soft_reload"}


def notify(kind, message, **params):
    """:param kind: `success`, `info`, `warning` or `danger`
    :param params: others of Odoo's notifications
    :return: the action that shows a message
    """
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {"type": kind, "message": message, **params},
    }


def open_window(env, xml_id, **values):
    """:param xml_id: of a window action, of this addon unless it names another one
    :param values: of the action that are other ones
    :return: the action
    """
    if "." not in xml_id:
        xml_id = f"account_copaco.{xml_id}"
    return {**env["ir.actions.act_window"]._for_xml_id(xml_id), **values}


def open_invoices(env, domain, move_type="out_invoice"):
    """:param move_type: `out_invoice` or `in_invoice`
    :return: the window action with the customer invoices, or bills, of a domain
    """
    return open_window(
        env,
        f"account.action_move_{move_type}",
        domain=domain,
        context={"create": False, "default_move_type": move_type},
    )
