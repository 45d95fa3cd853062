"""The jobs of the community's ``queue_job``, in a database that has it. A server
carries them out beside the tests (``devtools/jobs/server.py``)."""

import os
import signal
import time
from contextlib import closing

import psycopg2

from odoo.sql_db import connection_info_for

PATIENCE = 100  # seconds after which jobs count as stuck
# A job that is to follow others may have lost its turn to a worker that was killed.
ORPHANED_AFTER = 3
ACTIVE = {"pending", "enqueued", "started"}
STATES = "SELECT state, count(*) FROM queue_job WHERE channel ~ 'copaco' GROUP BY 1"
JOBS = """
    SELECT state, worker_pid, retry, uuid FROM queue_job
     WHERE company_id = %(company)s AND method_name = '_job_process'"""


def wait_after_enqueuing():
    """Let this process wait, whenever it has made jobs, until they are carried out."""
    from odoo.addons.account_copaco.services.copaco_job_queue import CopacoJobQueue

    enqueue = CopacoJobQueue._enqueue_waiting

    def enqueue_and_wait(queue, documents):
        is_enqueued = enqueue(queue, documents)
        wait_for_jobs(documents.env.cr.dbname)
        return is_enqueued

    CopacoJobQueue._enqueue_waiting = enqueue_and_wait


def wait_for_jobs(database):
    """Wait until every job was carried out, or has failed.

    :raise TimeoutError: that doesn't happen
    """
    _name, parameters = connection_info_for(database)
    deadline = time.monotonic() + PATIENCE
    last_active = time.monotonic()
    # A connection of its own, and no commit of Odoo's, which some tests count.
    with closing(psycopg2.connect(**parameters)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        while True:
            # The runner looks for jobs of dead workers when woken, or each minute.
            cursor.execute("SELECT pg_notify('queue_job', '')")
            cursor.execute(STATES)
            states = dict(cursor.fetchall())
            if states.keys() & ACTIVE:
                last_active = time.monotonic()
            elif "wait_dependencies" not in states:
                return
            elif time.monotonic() > last_active + ORPHANED_AFTER:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"Jobs go on for ever: {states}")
            time.sleep(0.1)


def kill_worker(reseller, killed, after=0.0):
    """Kill a worker that makes invoices of a reseller.

    :param killed: set of the jobs whose workers were killed, to which this one is added
    :param after: seconds that the worker may go on
    :return: whether there was one
    """
    for state, pid, retry, uuid in reseller.query(JOBS):
        if state == "started" and (uuid, retry) not in killed:
            time.sleep(after)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                # It came to its end while it was allowed to go on.
                return False
            killed.add((uuid, retry))
            return True
    return False
