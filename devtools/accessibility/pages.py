"""Writes which pages of the demonstration are ours: every view of every action of the
addon, and pages of Odoo's that it adds to; Odoo's shell runs it with ``env``."""

import json
import os
from pathlib import Path

LANGUAGES = ("nl_NL", "fr_FR", "de_DE")
# Forms of the same model differ most by these.
KINDS = ("state", "hold_reason", "kind")
# What a dialog is about, unless it is about a connection.
SUBJECTS = {
    "copaco.exclude": "copaco.document",
    "copaco.invoice.contact": "copaco.document",
    "copaco.invoice.date": "copaco.document",
    "copaco.mail.merge": "account.move",
}


def main(env):
    env = env(user=env.ref("base.user_admin"))
    install_languages(env)
    pages = {}
    for action in get_actions(env):
        if action.target == "new":
            add_dialog(pages, action)
        else:
            add_views(pages, action)
            add_forms(pages, action)
    add_setup(pages, env)
    add_pages_of_odoo(pages, env)
    env.cr.commit()
    Path(os.environ["COPACO_PAGES"]).write_text(json.dumps(pages))


def install_languages(env):
    for code in LANGUAGES:
        env["res.lang"]._activate_lang(code)
    modules = env["ir.module.module"].search([("state", "=", "installed")])
    modules._update_translations(LANGUAGES)


def get_actions(env):
    names = env["ir.model.data"].search(
        [("module", "=", "account_copaco"), ("model", "=", "ir.actions.act_window")]
    )
    return env["ir.actions.act_window"].browse(names.sorted("name").mapped("res_id"))


def add_dialog(pages, action):
    subject = action.env[SUBJECTS.get(action.res_model, "copaco.connection")]
    record = subject.search([], limit=1)
    context = {"active_model": subject._name, "active_id": record.id}
    context["active_ids"] = record.ids
    pages[f"{action.name} (dialog)"] = {
        "action": action.get_external_id()[action.id],
        "options": {"additionalContext": context},
    }


def add_views(pages, action):
    # The actions of a run's figures show the views of documents.
    if action.domain and "active_id" in action.domain:
        return
    for view in action.view_mode.split(","):
        if view != "form":
            pages[f"{action.name} ({view})"] = {
                "action": action.get_external_id()[action.id],
                "options": {"viewType": view},
            }


def add_forms(pages, action):
    if "form" not in action.view_mode or action.res_model == "res.partner":
        return
    model = action.env[action.res_model]
    fields = [name for name in KINDS if name in model._fields]
    view = action.view_id.filtered(lambda each: each.type == "form")
    for record in model.search([], limit=2000):
        kind = ", ".join(record[name] for name in fields if record[name])
        name = f"{model._description} (form{kind and f', {kind}'})"
        if name not in pages:
            pages[name] = show_form(record, view=view)


def show_form(record, target="current", view=None):
    return {
        "action": {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [[view.id if view else False, "form"]],
            "target": target,
        }
    }


def add_setup(pages, env):
    connection = env["copaco.connection"].search([], limit=1)
    for step, label in env["copaco.setup"]._fields["step"].selection:
        dialog = env["copaco.setup"].create(
            {"connection_id": connection.id, "step": step}
        )
        pages[f"Set-up, {label} (dialog)"] = show_form(dialog, "new")


def add_pages_of_odoo(pages, env):
    Document = env["copaco.document"]
    posted = Document.search([("move_id.state", "=", "posted")], limit=1).move_id
    draft = Document.search([("move_id.state", "=", "draft")], limit=1).move_id
    unsent = env["copaco.delivery"].search([("state", "=", "failed")], limit=1).move_id
    path = "/odoo/customer-invoices"
    pages |= {
        "Accounting dashboard": {"url": "/odoo/accounting"},
        "Customer invoices (list)": {"url": path},
        "Customer invoice (form, posted)": {"url": f"{path}/{posted.id}"},
        "Customer invoice (form, draft)": {"url": f"{path}/{draft.id}"},
        "Customer invoice (form, could not be sent)": {"url": f"{path}/{unsent.id}"},
        "Contact (form)": show_form(posted.partner_id),
        "Settings": {"url": "/odoo/settings#account"},
        "Portal": {"url": posted.get_portal_url(), "anonymous": True},
    }


main(env)  # noqa: F821 (the shell's own)
