"""Gets Odoo 19: one that the user has (``ODOO_HOME``), or Debian's package of it.

Debian has Odoo 19 in sid only. It is downloaded with ``apt-get`` and a source list of
its own and unpacked into the cache: no root needed, nothing on the machine changes, and
Debian's signature is checked.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .paths import cache_entry
from .terminal import SetupError, run_logged, step

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Odoo's package links to files of these instead of carrying them.
PACKAGES = (
    "odoo-19/sid",
    "libjs-jquery/sid",
    "libjs-jquery-form/sid",
    "libjs-underscore/sid",
    "fonts-roboto-unhinted/sid",
    "fonts-montserrat/sid",
    "fonts-ocr-b/sid",
    # Later releases carry Font Awesome 7, without the files of 4.7 that Odoo uses.
    "fonts-font-awesome/bookworm",
    "fonts-inconsolata/bookworm",
)
# Stripped from Debian's package as not free; its absence is an error in the browser's
# console, which makes Odoo's browser tests fail.
STRIPPED = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


def odoo_home() -> Path:
    """Return the folder that holds the Python package ``odoo``.

    :raise SetupError: ``ODOO_HOME`` holds no Odoo 19, or it can't be downloaded.
    """
    if configured := os.environ.get("ODOO_HOME"):
        home = Path(configured).expanduser().resolve()
    else:
        home = cache_entry("odoo-19", _download) / "usr/lib/python3/dist-packages"
    release = home / "odoo/release.py"
    if not release.exists():
        raise SetupError(
            f"{home} holds no Odoo: ODOO_HOME must name the folder that holds the"
            " Python package `odoo`."
        )
    if not re.search(r"^version_info = \(19, 0,", release.read_text(), re.M):
        raise SetupError(f"{home} holds another version of Odoo than 19.0.")
    return home


def odoo_identity() -> str:
    """Return a text that differs when a prepared database must be made anew."""
    home = odoo_home()
    egg_info = sorted(str(path) for path in home.glob("odoo-*.egg-info"))
    changed = (home / "odoo/release.py").stat().st_mtime_ns
    return f"{home} {egg_info} {changed}"


def _download(folder: Path) -> None:
    if not KEYRING.exists():
        raise SetupError(
            "Odoo 19 comes from Debian's archive, and this machine has no"
            f" {KEYRING.name}. Install debian-archive-keyring, or name an existing"
            " Odoo 19 with ODOO_HOME=..."
        )
    refused = []
    for mirror in _mirrors():
        try:
            with step("Downloading Odoo 19 (135 MB)"):
                packages = _fetch(folder, mirror)
            break
        except SetupError as error:
            refused.append(str(error))
    else:
        raise SetupError(
            "None of this machine's apt sources has Odoo 19; name an existing one with"
            " ODOO_HOME=...\n" + "\n".join(refused)
        )
    with step("Unpacking Odoo 19"):
        for package in packages:
            subprocess.run(["dpkg", "-x", package, folder], check=True)
            package.unlink()
        _mend(folder)


def _mirrors() -> list[str]:
    """Return the addresses of Debian's main archive that this machine uses."""
    fields = "$(SITE)\t$(RELEASE)\t$(COMPONENT)\t$(IDENTIFIER)"
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", fields],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sites = [
        site
        for site, release, component, identifier in (
            line.split("\t") for line in targets.splitlines()
        )
        if component == "main"
        and identifier == "Packages"
        and not re.search(r"[-/](security|updates|backports)", f"{site} {release}")
    ]
    if not sites:
        raise SetupError(
            "This machine's apt names no Debian archive to take Odoo 19 from; name an"
            " existing Odoo 19 with ODOO_HOME=..."
        )
    return list(dict.fromkeys(sites))


def _fetch(folder: Path, mirror: str) -> list[Path]:
    """Download the packages into ``folder`` and return their paths."""
    apt = folder / ".apt"
    for name in ("lists/partial", "cache/archives/partial", "packages"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(
        "".join(
            f"deb [signed-by={KEYRING}] {mirror} {suite} main\n"
            for suite in ("sid", "bookworm")
        )
    )
    options = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::Lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        # apt's own user may not be able to reach the cache folder.
        "APT::Sandbox::User": "root",
        # Only the package index: neither translations nor file contents.
        "Acquire::Languages": "none",
    }
    command = ["apt-get", "-q"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    log = apt / "log"
    run_logged([*command, "update"], log)
    run_logged([*command, "download", *PACKAGES], log, cwd=apt / "packages")
    packages = sorted((apt / "packages").glob("*.deb"))
    if len(packages) != len(PACKAGES):
        raise SetupError(f"apt-get downloaded {len(packages)} packages only")
    return packages


def _mend(folder: Path) -> None:
    """Fill the gap in Debian's package; refuse one that links into the void."""
    addons = folder / "usr/lib/python3/dist-packages/odoo/addons"
    stripped = addons / STRIPPED
    stripped.parent.mkdir(parents=True, exist_ok=True)
    stripped.touch()
    shutil.rmtree(folder / ".apt")
    broken = subprocess.run(
        ["find", folder, "-xtype", "l"], capture_output=True, text=True, check=True
    ).stdout
    if broken:
        raise SetupError(
            f"Odoo's package links to files that none of {', '.join(PACKAGES)} brings:"
            f"\n{broken}"
        )
