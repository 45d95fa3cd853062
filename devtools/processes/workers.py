"""Processes that work in one Odoo at the same time, as those of a real server do.

Each is forked from this one, which has loaded Odoo once, and has connections to the
database and commits of its own. ``COPACO_DATABASE`` names a database that has the
addon, ``ODOO_RC`` Odoo's configuration.
"""

import base64
import itertools
import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import odoo.service.server
import odoo.sql_db
from odoo import api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import config

from odoo.addons.base.models.ir_cron import IrCron

from ..jobs.job_queue import wait_after_enqueuing

ADDON = "odoo.addons.account_copaco."
PATIENCE = 120  # seconds after which a worker counts as stuck
RECORD = re.compile(r"^(?=(?:INFO|WARNING|ERROR|CRITICAL) \S+ \d+: )", re.M)
PROBLEM = re.compile(r"ERROR|CRITICAL|.*^Traceback", re.M | re.S)
# Odoo logs each refused query, also one that is tried again and then succeeds.
EXPECTED_ERROR = "ERROR odoo.sql_db "
# ... with all that was to be stored of customers.
TELLING_ERROR = 'INSERT INTO "copaco_'
CONCURRENCY_ERROR = re.compile(
    r"could not serialize|deadlock detected|could not obtain lock|duplicate key value"
)

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


def press_send_again(company_id):
    """Return the task of a person who sends again all that could not be sent."""
    domain = [("company_id", "=", company_id), ("is_unsent", "=", True)]
    return _press("action_send_again", "copaco.delivery", domain)


def upload(connection_id, raw):
    """Return the task of a person who uploads a file with the response ``raw``."""

    def task(env):
        env = _as_person(env)
        wizard = env["copaco.upload"].create(
            {
                "connection_id": connection_id,
                "kind": "specification",
                "content": base64.b64encode(raw),
                "file_name": "response.json",
            }
        )
        env.cr.commit()
        retrying(wizard.action_upload, env)

    return task


def may_be_told(task):
    """Return ``task`` for a person who may be told that it can't be done."""

    def telling_task(env):
        with suppress(UserError):
            task(env)

    return telling_task


def _press(action, model, domain):
    def task(env):
        records = _as_person(env)[model].search(domain)
        # Where nothing is listed, nobody can press anything.
        if records:
            # As Odoo's web server calls it.
            retrying(getattr(records, action), records.env)

    return task


def _as_person(env):
    user = env.ref("base.user_admin")
    return env(user=user, context={"allowed_company_ids": user.company_ids.ids})


@contextmanager
def with_constant(name, value):
    """Within the block, ``name`` of the addon's ``const.py`` has another value."""
    with ExitStack() as stack:
        for imported_by, module in list(sys.modules.items()):
            if imported_by.startswith(ADDON) and hasattr(module, name):
                stack.enter_context(patch.object(module, name, value))
        yield


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


def work_as_scheduler(_env):
    """The task of Odoo's own scheduler: to do each job that is due."""
    IrCron._process_jobs(DATABASE)


def have_jobs_due():
    """Let the scheduler find that the addon's jobs are due, and nothing else."""
    with environment() as env:
        env.cr.execute(
            """
            UPDATE ir_cron SET active = job.id IS NOT NULL,
                   nextcall = now() AT TIME ZONE 'UTC' - interval '1 minute'
              FROM ir_cron every
         LEFT JOIN ir_model_data job ON job.res_id = every.id
                   AND job.model = 'ir.cron' AND job.module = 'account_copaco'
             WHERE every.id = ir_cron.id"""
        )


def jobs_are_due():
    """Tell whether the scheduler would find something to do."""
    with environment() as env:
        return bool(IrCron._get_all_ready_jobs(env.cr))


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
            which the task is repeated; ``on_commit``, what to call with the number of
            commits, first with 0 and then after each
        """
        # A connection that two processes share would be the end of both.
        odoo.sql_db.close_all()
        worker = FORK.Process(target=self._work, args=(task,), kwargs=options)
        worker.start()
        return worker

    def kill(self, task, commits=0, seconds=0.0):
        """Start ``task``, kill it and tell whether that was before its end.

        :param commits: how many it is to make before
        :param seconds: how long it is to go on after them
        """

        def die(count):
            if count == commits:
                timer = threading.Timer(seconds, _kill_this_process)
                timer.daemon = True
                timer.start()
            if count == commits and not seconds:
                timer.join()

        worker = self.start(task, on_commit=die)
        return _wait_for(worker) == -signal.SIGKILL

    def measure(self, task):
        """Do ``task``; return the seconds before, between and after its commits."""
        receiver, sender = FORK.Pipe(duplex=False)
        with receiver, sender:
            worker = self.start(
                task, on_commit=lambda _count: sender.send(time.monotonic())
            )
            _wait_for(worker)
            moments = []
            while receiver.poll():
                moments.append(receiver.recv())
        return [end - start for start, end in itertools.pairwise(moments)]

    def problems(self):
        """Return what the log says of things that must not happen."""
        records = RECORD.split(self.log.read_text())
        return "".join(
            record
            for record in records
            if PROBLEM.match(record)
            and (not record.startswith(EXPECTED_ERROR) or TELLING_ERROR in record)
        )

    def concurrency_errors(self):
        """Return how many queries the log says PostgreSQL refused because of what other
        transactions did."""
        return len(CONCURRENCY_ERROR.findall(self.log.read_text()))

    def _work(self, task, start=None, until=None, on_commit=None):
        logging.basicConfig(
            filename=self.log,
            format="%(levelname)s %(name)s %(process)d: %(message)s",
            level=logging.INFO,
            force=True,
        )
        if "queue.job" in Registry(DATABASE):
            wait_after_enqueuing()
        if start:
            start.wait(PATIENCE)
        if on_commit:
            _watch_commits(on_commit)
        while True:
            try:
                # As a server does before each request.
                Registry(DATABASE).check_signaling()
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


def _watch_commits(on_commit):
    cursor_class = odoo.sql_db.Cursor
    commit = cursor_class.commit
    counts = itertools.count(1)

    def commit_and_tell(cursor):
        commit(cursor)
        on_commit(next(counts))

    cursor_class.commit = commit_and_tell
    on_commit(0)


def _kill_this_process():
    os.kill(os.getpid(), signal.SIGKILL)
