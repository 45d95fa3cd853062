from odoo import models
from odoo.exceptions import UserError

from ..const import PURCHASE_KINDS, SALES_KINDS
from ..tools import open_window, soft_reload


class CopacoFetchNotification(models.AbstractModel):
    """What a person is told who waited for a fetch."""

    _name = "copaco.fetch.notification"
    _description = "Copaco Fetch Notification"

    def _get_notification(self, runs):
        """Say of each connection what its runs brought, what still waits, and what
        failed.

        :param runs: `copaco.run` records that a person waited for
        :return: a notification for each connection, each the next one's
        :raise UserError: when a fetch of every connection failed
        """
        connections = runs.connection_id
        grouped = runs.grouped("connection_id")
        messages = {
            connection: self._describe(connection, own)
            for connection, own in grouped.items()
        }
        failed = runs.filtered(lambda run: run.state == "failed").connection_id
        if failed == connections:
            self.env.cr.commit()  # pylint: disable=invalid-commit # keep the reason
            raise UserError("\n".join(messages.values()))
        action = soft_reload()
        # The last one of these is shown first.
        for connection in (connections - failed) + failed:
            own = grouped[connection]
            action = {
                "type": "ir.actions.client",
                "tag": "copaco_notification",
                "params": {
                    "title": connection.name if len(connections) > 1 else False,
                    "type": self._get_type(connection, own),
                    "message": messages[connection],
                    "buttons": self._get_buttons(connection, own),
                    "next": action,
                },
            }
        return action

    def _get_type(self, connection, runs):
        if any(run.state == "failed" for run in runs):
            return "danger"
        attention = any(run.state == "attention" for run in runs)
        received = sum(runs.mapped("received_count"))
        return (
            "warning"
            if attention or not received or connection.held_count
            else "success"
        )

    def _get_buttons(self, connection, runs):
        """:return: list of buttons: what they are called, and the action of each"""
        action = runs._get_records_action(name=self.env._("Copaco Runs"))
        buttons = [{"name": self.env._("Show what was received"), "action": action}]
        if connection.held_count:
            # To Do has more than what the message counts, and that of others.
            to_do = open_window(
                self.env,
                "action_copaco_document_to_do",
                context={
                    "search_default_connection_id": connection.id,
                    "search_default_undecided": 1,
                    "search_default_group_reason": 1,
                },
            )
            buttons.insert(0, {"name": self.env._("Show what waits"), "action": to_do})
        return buttons

    def _describe(self, connection, runs):
        """:return: sentences: what runs of a connection brought, and what waits"""
        failed = runs.filtered(lambda run: run.state == "failed")
        done, parts = runs - failed, []
        fetching = done.filtered(lambda run: not run.stored_at)
        documents = sum(done.mapped("received_count"))
        rejected = sum(done.mapped("rejected_count"))
        if documents:
            changed = done.version_ids.document_id - done.document_ids
            known = sum(done.mapped("unchanged_count"))
            parts.append(
                self.env._(
                    "Documents received: %(documents)s, of which new: %(new)s, changed "
                    "by Copaco: %(changed)s, known already: %(known)s. Of these, "
                    "invoiced: %(invoiced)s, held for a decision: %(held)s, excluded: "
                    "%(excluded)s.",
                    documents=documents,
                    new=documents - known - len(changed),
                    changed=len(changed),
                    known=known,
                    invoiced=sum(done.mapped("invoiced_count")),
                    held=sum(done.mapped("held_count")),
                    excluded=sum(done.mapped("excluded_count")),
                )
            )
        if rejected:
            parts.append(
                self.env._(
                    "Invoices that could not be read: %(count)s.", count=rejected
                )
            )
        if done and not documents and not rejected and not fetching:
            parts.append(
                self.env._(
                    "Nothing was received: Copaco has no documents in this period."
                )
            )
        if fetching or any(done.mapped("waiting_count")):
            parts.append(self.env["copaco.background"]._describe_rest())
        if connection.held_count:
            parts.append(self._describe_waiting(connection))
        return "\n".join([*failed.mapped("message"), " ".join(parts)]).strip()

    def _describe_waiting(self, connection):
        """:return: sentences: how much of a connection waits for a person, whenever it
        was received. What customers pay, and what Copaco bills, add up to nothing."""
        sales = self._get_waiting(connection, SALES_KINDS)
        purchases = self._get_waiting(connection, PURCHASE_KINDS)
        parts = []
        if sales["count"]:
            parts.append(
                self.env._(
                    "Waiting for a decision in all: %(count)s (%(amounts)s).", **sales
                )
            )
        if purchases["count"]:
            parts.append(
                self.env._(
                    "Documents of purchase invoices waiting for a decision: %(count)s "
                    "(%(amounts)s).",
                    **purchases,
                )
            )
        return " ".join(parts)

    def _get_waiting(self, connection, kinds):
        Document = self.env["copaco.document"]
        domain = [
            ("connection_id", "=", connection.id),
            ("kind", "in", kinds),
            ("state", "in", ("held", "changed")),
        ]
        return {
            "count": Document.search_count(domain),
            "amounts": Document._describe_amounts(domain),
        }
