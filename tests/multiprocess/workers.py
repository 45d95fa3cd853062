"""Processes that work in one Odoo at the same time, as those of a real server do.

Each is forked from this one, which has loaded Odoo once, and has connections to the
database and commits of its own. ``COPACO_DATABASE`` names a database that has the
addon, ``ODOO_RC`` Odoo's configuration.
"""

import logging
import multiprocessing
import os
import re
import signal
from contextlib import contextmanager, suppress
from pathlib import Path

from job_queue import wait_after_enqueuing

import odoo.service.server
import odoo.sql_db
from odoo import api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import config

PATIENCE = 120  # seconds after which a worker counts as stuck
RECORD = re.compile(r"^(?=(?:INFO|WARNING|ERROR|CRITICAL) \S+ \d+: )", re.M)
PROBLEM = re.compile(r"ERROR|CRITICAL|.*^Traceback", re.M | re.S)
# Odoo logs each refused query, also one that is tried again and then succeeds.
EXPECTED_ERROR = "ERROR odoo.sql_db "

DATABASE = os.environ["COPACO_DATABASE"]

config.parse_config(["-d", DATABASE])
odoo.service.server.load_server_wide_modules()
Registry(DATABASE)
FORK = multiprocessing.get_context("fork")


@contextmanager
def environment():
    """Lend the block an environment of the superuser; its work is committed."""
    with Registry(DATABASE).cursor() as cr:
        yield api.Environment(cr, api.SUPERUSER_ID, {})


def press_fetch(connection_id):
    """Return the task of a person who presses Fetch on a connection."""
    return _press("action_fetch", "copaco.connection", [("id", "=", connection_id)])


def press_retry(company_id):
    """Return the task of a person who presses Retry on all that is held."""
    domain = [("company_id", "=", company_id), ("state", "=", "held")]
    return _press("action_retry", "copaco.document", domain)


def may_be_told(task):
    """Return ``task`` for a person who may be told that it can't be done."""

    def telling_task(env):
        with suppress(UserError):
            task(env)

    return telling_task


def _press(action, model, domain):
    def task(env):
        user = env.ref("base.user_admin")
        context = {"allowed_company_ids": user.company_ids.ids}
        records = env(user=user, context=context)[model].search(domain)
        # As Odoo's web server calls it.
        retrying(getattr(records, action), records.env)

    return task


def fetch_as_scheduled(env):
    """The task of the scheduled action that fetches."""
    env["copaco.connection"]._cron_fetch()


def go_on(env):
    """The task of the scheduled actions that do what others left."""
    env["copaco.run"]._cron_execute()
    process(env)


def process(env):
    """The task of the scheduled action that makes the invoices, or jobs of them."""
    env["copaco.document"]._cron_process()


class Workers:
    """Starts workers and keeps their ``log``."""

    def __init__(self, log: Path):
        self.log = log
        self.log.touch()

    def run_together(self, *tasks, meanwhile=None):
        """Run each task in a process of its own, all at the same moment.

        :param meanwhile: a task that one more process repeats until the others ended
        :return: exit code of each process
        """
        start = FORK.Barrier(len(tasks) + bool(meanwhile))
        ended = FORK.Event()
        workers = [self.start(task, start=start) for task in tasks]
        repeating = []
        if meanwhile:
            repeating = [self.start(meanwhile, start=start, until=ended)]
        codes = [_wait_for(worker) for worker in workers]
        ended.set()
        return codes + [_wait_for(worker) for worker in repeating]

    def start(self, task, **options):
        """Start a process that does ``task``.

        :param options: ``start``, a barrier to pass first; ``until``, an event before
            which the task is repeated; ``die_after``, the number of commits after which
            the process kills itself
        """
        # A connection that two processes share would be the end of both.
        odoo.sql_db.close_all()
        worker = FORK.Process(target=self._work, args=(task,), kwargs=options)
        worker.start()
        return worker

    def kill(self, task, after=None, **options):
        """Start ``task``, kill it and tell whether that came before its end.

        :param after: seconds; none when it is to kill itself
        """
        worker = self.start(task, **options)
        worker.join(PATIENCE if after is None else after)
        worker.kill()
        worker.join()
        return worker.exitcode == -signal.SIGKILL

    def problems(self):
        """Return what the log says of things that must not happen."""
        records = RECORD.split(self.log.read_text())
        return "".join(
            record
            for record in records
            if PROBLEM.match(record) and not record.startswith(EXPECTED_ERROR)
        )

    def _work(self, task, start=None, until=None, die_after=None):
        logging.basicConfig(
            filename=self.log,
            format="%(levelname)s %(name)s %(process)d: %(message)s",
            level=logging.INFO,
            force=True,
        )
        if "queue.job" in Registry(DATABASE):
            wait_after_enqueuing()
        if die_after:
            _die_after(die_after)
        if start:
            start.wait(PATIENCE)
        while True:
            try:
                with environment() as env:
                    task(env)
            except Exception:
                logging.exception("A worker came to an unexpected end")
                raise SystemExit(1) from None
            if not until or until.wait(0.05):
                return


def _wait_for(worker):
    worker.join(PATIENCE)
    if worker.is_alive():
        worker.kill()
        worker.join()
    return worker.exitcode


def _die_after(commits):
    cursor_class = odoo.sql_db.Cursor
    commit = cursor_class.commit
    left = iter(range(commits - 1, -1, -1))

    def commit_and_die(cursor):
        commit(cursor)
        if not next(left):
            os.kill(os.getpid(), signal.SIGKILL)

    cursor_class.commit = commit_and_die
