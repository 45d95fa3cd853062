"""The addon at work: a Copaco simulator, a database to look at, a web server."""

import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from .. import odoo_cli
from ..background_process import BackgroundProcess
from ..instance import BASE, CheckoutInstance
from ..paths import ADDON, CHECKOUT, LOGS, RUNTIME, TESTS, locked
from ..python_packages import environment, python
from ..terminal import SetupError, step, tail

DATABASE = "demo"
USUAL_PORT = 8069
API_KEY = "demonstration-key-0000"
SCRIPT = Path(__file__).parent / "data.py"

server = BackgroundProcess("server")
simulator = BackgroundProcess("simulator")


def run(keep_serving: bool, *options: str) -> str:
    """Set the demonstration up if it isn't, fetch, and print the result.

    :param keep_serving: leave the simulator and the web client running
    :param options: of Odoo's server
    :return: the URL of the web client, empty when it isn't left running
    """
    with locked(f"{RUNTIME.name}-demo"), CheckoutInstance().in_use() as instance:
        # They may run what the code was before.
        server.stop()
        simulator.stop()
        url = ""
        try:
            address = _start_simulator(instance)
            _update_database(instance)
            simulated = {"COPACO_ADDRESS": address, "COPACO_API_KEY": API_KEY}
            run_script(instance, SCRIPT, **simulated)
            if keep_serving:
                url = _serve(instance, *options)
        finally:
            if not url:
                server.stop()
                simulator.stop()
        return url


def stop() -> None:
    """Stop what the demonstration left running, and PostgreSQL with it."""
    for process in (server, simulator):
        if process.stop():
            print(f"Stopped the {process.name}.")
    if not CheckoutInstance().stop_if_unused():
        print("PostgreSQL goes on: another command of this checkout uses it.")


def shell() -> int:
    """Run Odoo's shell on the demonstration; return its exit code."""
    with CheckoutInstance().in_use() as instance:
        if DATABASE not in instance.cluster.databases():
            raise SetupError("There is no demonstration database; run `make demo`.")
        return _odoo_shell(instance, LOGS / "shell.log").returncode


def _start_simulator(instance: CheckoutInstance) -> str:
    """Start Copaco's stand-in and return its base URL."""
    # data.py makes contacts for the same customers.
    options = ["--seed", "1", "--customers", "45", "--api-key", API_KEY]
    command = [python(), "-m", "simulator", *options]
    with step("Starting the Copaco simulator"):
        simulator.start(command, environment(TESTS), instance.use)
        return simulator.wait_for(
            lambda: simulator.log.read_text().partition("\n")[0].strip(), 60
        )


def _update_database(instance: CheckoutInstance) -> None:
    if DATABASE not in instance.cluster.databases():
        with step("Making the demonstration database"):
            instance.copy_database(BASE, DATABASE)
    with step("Installing or updating the addon in it"):
        odoo_cli.run_logged(
            instance.config,
            LOGS / "install.log",
            *("-d", DATABASE, "-i", ADDON, "-u", ADDON),
            *("--stop-after-init", "--no-http"),
        )


def run_script(instance: CheckoutInstance, path: Path, **variables: str) -> None:
    """Run a script in Odoo's shell on the demonstration.

    :param variables: environment variables of the script
    :raise SetupError: it failed
    """
    log = LOGS / f"{path.parent.name}-{path.stem}.log"
    with path.open() as script:
        result = _odoo_shell(instance, log, stdin=script, **variables)
    if result.returncode:
        raise SetupError(f"{path.name} failed. The end of {log}:\n{tail(log)}")


def _odoo_shell(instance: CheckoutInstance, log: Path, stdin=None, **variables: str):
    log.unlink(missing_ok=True)
    options = ("-d", DATABASE, "--no-http", f"--logfile={log}")
    return subprocess.run(
        odoo_cli.command(instance.config, "shell", *options),
        stdin=stdin,
        env={**odoo_cli.environment(CHECKOUT, TESTS), **variables},
        check=False,
    )


def _serve(instance: CheckoutInstance, *options: str) -> str:
    port = odoo_cli.free_port(USUAL_PORT)
    address = f"http://127.0.0.1:{port}"
    options = ("-d", DATABASE, "--http-port", str(port), *options)
    command = odoo_cli.command(instance.config, *options)
    with step("Starting Odoo"):
        server.start(command, odoo_cli.environment(), instance.use)
        server.wait_for(lambda: _answers(f"{address}/web/login"), 120)
    print(f"\nOdoo runs at {address}/odoo, user admin, password admin.")
    print("`make stop` stops it; `make demo` fetches again.")
    if not shutil.which("wkhtmltopdf"):
        print("It can't print PDFs, because wkhtmltopdf is not installed.")
    return address


def _answers(address: str) -> bool:
    with suppress(urllib.error.URLError, ConnectionError):
        with urllib.request.urlopen(address, timeout=60) as response:
            return response.status == 200
    return False
