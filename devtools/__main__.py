"""The commands: ``devtools/run COMMAND [ARGUMENT ...]``; ``help`` lists them."""

import os
import subprocess
import sys

from . import accessibility, checks, demo, odoo_cli, screenshots
from .benchmark.run import run_benchmark
from .dist import build_and_check
from .fault_injection import run as faults
from .instance import BASE, CheckoutInstance
from .paths import FAULTS_RUNTIME, make_runtime
from .terminal import SetupError


def run_demo():
    """what `make demo` does"""
    demo.run(keep_serving=os.environ.get("DEMO_SERVER") != "0")


def take_screenshots():
    """take the pictures of the documentation; removes the demonstration"""
    screenshots.take()


def look_at_pages():
    """look at every page for barriers and widths; removes the demonstration"""
    return not accessibility.run()


def stop():
    """what `make stop` does"""
    demo.stop()


def shell():
    """what `make shell` does"""
    return demo.shell()


def test():
    """what `make test` does"""
    tags = os.environ.get("TAGS")
    return not (checks.run_tagged(tags) if tags else checks.run_all())


def lint():
    """what `make lint` does"""
    return not checks.run_lint()


def upgrade():
    """upgrade a database of an earlier revision, and test what became of it"""
    return not checks.run_upgrade()


def test_oldest():
    """test the client with the oldest packages that it works with"""
    return not checks.run_oldest()


def check_e_invoices():
    """check e-invoices by the official rules"""
    return not checks.run_e_invoices()


def test_limits():
    """what `make limits` does"""
    return not checks.run_limits()


def inject_faults():
    """what `make faults` does"""
    return not faults.run()


def measure():
    """what `make bench` does"""
    return not run_benchmark()


def clean():
    """what `make clean` does"""
    demo.stop()
    if FAULTS_RUNTIME.exists():
        CheckoutInstance(FAULTS_RUNTIME).remove()
    CheckoutInstance().remove()


def reformat():
    """what `make format` does"""
    checks.reformat()


def dist():
    """what `make dist` does"""
    return not build_and_check()


def database(name):
    """NAME: make the database NAME anew, with Dutch and Belgian accounting"""
    with CheckoutInstance().in_use() as instance:
        instance.drop_database(name)
        instance.copy_database(BASE, name)


def drop(name):
    """NAME: remove the database NAME"""
    with CheckoutInstance().in_use() as instance:
        instance.drop_database(name)


def run_odoo(*arguments):
    """ARGUMENT ...: Odoo's command line, e.g. -d NAME -u account_copaco"""
    with CheckoutInstance().in_use() as instance:
        command = odoo_cli.command(instance.config, *arguments)
        return subprocess.run(
            command, env=odoo_cli.environment(), check=False
        ).returncode


def psql(*arguments):
    """ARGUMENT ...: PostgreSQL's command line, e.g. NAME -c 'SELECT 1'"""
    with CheckoutInstance().in_use() as instance:
        return instance.cluster.run("psql", *arguments, check=False).returncode


def list_commands():
    """this list"""
    for name, function in COMMANDS.items():
        print(f"  devtools/run {name:13s} {function.__doc__}")


COMMANDS = {
    "demo": run_demo,
    "screenshots": take_screenshots,
    "accessibility": look_at_pages,
    "stop": stop,
    "shell": shell,
    "test": test,
    "upgrade": upgrade,
    "einvoices": check_e_invoices,
    "limits": test_limits,
    "oldest": test_oldest,
    "faults": inject_faults,
    "bench": measure,
    "lint": lint,
    "format": reformat,
    "dist": dist,
    "clean": clean,
    "database": database,
    "drop": drop,
    "odoo": run_odoo,
    "psql": psql,
    "help": list_commands,
}


def main(name="help", *arguments):
    """Run the command ``name``; return the exit code."""
    if name not in COMMANDS:
        print(f"There is no command {name}. There are:", file=sys.stderr)
        list_commands()
        return 2
    try:
        make_runtime()
        return int(COMMANDS[name](*arguments) or 0)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main(*sys.argv[1:]))
