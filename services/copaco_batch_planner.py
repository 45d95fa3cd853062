import logging
import time

from odoo import models
from odoo.tools import LazyTranslate, config

from odoo.addons.base.models.ir_cron import MIN_TIME_PER_JOB

from ..const import BATCH_SECONDS, BUTTON_GRACE_SECONDS
from ..hold_reasons import Hold
from ..tools import get_seconds_left

_lt = LazyTranslate(__name__)

_logger = logging.getLogger(__name__)

# How much of the time that is left may be planned.
SHARE = 0.7


class CopacoBatchPlanner(models.AbstractModel):
    """Which documents are invoiced together: as many as their lines and the time that
    is left allow; one that was under way when its worker died, alone."""

    _name = "copaco.batch.planner"
    _description = "Copaco Batch Planner"

    def _choose(self, documents, pace, deadline=None):
        """:param documents: the `copaco.document` records that are to be next
        :param pace: a `Pace`
        :param deadline: `time.monotonic()` when somebody stops to wait
        :return: the first of them; none when there is not even time for one. What was
            under way when a worker died is begun by one that has all of its time.
        """
        waiting = documents.filtered_domain(documents._get_waiting_domain())
        seconds, is_fresh = self._get_seconds_left(deadline)
        chosen = documents.browse()
        for document in waiting:
            together = chosen + document
            needed = pace.estimate(together)
            if chosen:
                fits = needed <= min(seconds * SHARE, BATCH_SECONDS)
                fits = fits and not any(together.mapped("attempt_count"))
            else:
                fits = needed <= seconds * SHARE and not document.attempt_count
                fits = fits or is_fresh
            if not fits:
                break
            chosen = together
        # Those that somebody else has done meanwhile are dealt with, too.
        done = documents - waiting
        return chosen + done if chosen or not waiting else chosen

    def _sort(self, documents):
        """:return: documents in the order in which they are begun: what was under way
        when a worker died stops no other"""
        return documents.sorted(lambda each: (bool(each.attempt_count), each.id))

    def _get_seconds_left(self, deadline):
        """:return: see `get_seconds_left`; a person isn't kept waiting for longer"""
        if deadline:
            seconds, _is_fresh = get_seconds_left()
            left = deadline + BUTTON_GRACE_SECONDS - time.monotonic()
            return min(seconds, left), False
        cron_end = self.env.context.get("cron_end_time")
        return get_seconds_left(started=cron_end and cron_end - MIN_TIME_PER_JOB)

    def _split(self, documents, max_count, pace):
        """:return: list of the parts of documents, each as many as a batch may have"""
        parts, part = [], documents.browse()
        for document in documents:
            together = part + document
            if part and (
                len(part) == max_count or pace.estimate(together) > BATCH_SECONDS
            ):
                parts.append(part)
                together = document
            part = together
        return [*parts, part] if part else parts

    def _hold_too_large(self, documents):
        """Hold those of these documents whose invoices this server is not able to
        create.

        :param documents: `copaco.document` records that are locked
        :return: those that were held
        """
        waiting = documents.filtered_domain(documents._get_waiting_domain())
        deadly = waiting._get_deadly()
        for document in deadly:
            _logger.warning("Copaco document %s: workers died of it", document.id)
            document._hold(self._get_too_large_hold(document))
            document._end_attempt()
        return deadly

    def _get_too_large_hold(self, document):
        return Hold(
            "too_large",
            _lt(
                "%(document)s is too large for the limits of this server: it has "
                "%(lines)s lines, and the server was stopped while it created the "
                "invoice. Ask your administrator to raise limit_time_cpu (%(cpu)s s), "
                "limit_time_real_cron and limit_memory_hard in Odoo's configuration, "
                "or to let queue_job do it on a server of its own, then retry.",
                document=document.name,
                lines=document.line_count,
                cpu=config["limit_time_cpu"],
            ),
        )
