# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Find Odoo 19, or bring it into the working folder."""

import os
import subprocess
from pathlib import Path

from .ground import LOGS, WORK, Problem, python, run, say, set_stamp, which

PACKAGE = "odoo-19"
# The web assets of Debian's package are links into these packages.
ASSETS = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-font-awesome",
    "fonts-glyphicons-halflings",
)
UNPACKED = WORK / "odoo"
CLONE = WORK / "odoo-git"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
REPOSITORY = "https://github.com/odoo/odoo.git"


def find() -> list[str]:
    """Return the folders to put on PYTHONPATH, bringing Odoo where it is missing.

    In this order: ODOO_SOURCE, an Odoo that the environment imports already,
    the distribution's package unpacked into the working folder, a shallow clone.

    :raise Problem: when none of them works
    """
    given = os.environ.get("ODOO_SOURCE")
    if given:
        if not (Path(given) / "odoo" / "release.py").exists():
            raise Problem(
                f"ODOO_SOURCE={given} has no odoo/release.py; point it at an Odoo 19."
            )
        return [given]
    if _importable():
        return []
    for folder in (UNPACKED / "usr/lib/python3/dist-packages", CLONE):
        if (folder / "odoo" / "release.py").exists():
            return [str(folder)]
    for bring in (_from_package, _from_git):
        folder = bring()
        if folder and (folder / "odoo" / "release.py").exists():
            return [str(folder)]
    raise Problem(
        "Odoo 19 could not be had from apt or git; set ODOO_SOURCE=/path/to/odoo. "
        f"What was tried is in {LOGS / 'odoo.log'}."
    )


def _importable() -> bool:
    code = "import odoo.release as r; raise SystemExit(r.version_info[0] != 19)"
    result = subprocess.run([python(), "-c", code], capture_output=True)
    return result.returncode == 0


def _from_package() -> Path | None:
    if not (which("apt-get") and which("dpkg")):
        return None
    say("Bringing Odoo 19 from the distribution's archive (about 125 MB) ...")
    debs = WORK / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    try:
        options = _private_apt()
        run(["apt-get", *options, "update"], log="odoo")
        run(
            ["apt-get", *options, "download", PACKAGE, *ASSETS],
            log="odoo",
            cwd=str(debs),
        )
        for deb in sorted(debs.glob("*.deb")):
            run(["dpkg", "-x", str(deb), str(UNPACKED)], log="odoo")
    except Problem:
        return None
    for deb in debs.glob("*.deb"):
        deb.unlink()
    set_stamp("odoo", "package")
    return UNPACKED / "usr/lib/python3/dist-packages"


def _private_apt() -> list[str]:
    """Return options that point apt at a state of its own for the sid suite."""
    targets = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(SUITE)\t$(REPO_URI)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    addresses = [
        line.split("\t")[1]
        for line in sorted(set(targets))
        if "\t" in line and "security" not in line
    ]
    if not addresses:
        raise Problem("apt knows no archive; check /etc/apt/sources.list.")
    state = WORK / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    sources = state / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {addresses[0]} sid main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::Lists": state / "lists",
        "Dir::Cache": state / "cache",
    }
    if os.geteuid() == 0:
        options["APT::Sandbox::User"] = "root"
    return [arg for key, value in options.items() for arg in ("-o", f"{key}={value}")]


def _from_git() -> Path | None:
    if not which("git"):
        return None
    say("Cloning Odoo 19 ...")
    try:
        run(
            ["git", "clone", "--depth=1", "--branch=19.0", REPOSITORY, str(CLONE)],
            log="odoo",
        )
    except Problem:
        return None
    return CLONE


def addons_paths(folders: list[str]) -> list[str]:
    """Return the add-ons folders that `folders` bring beside `odoo/addons`."""
    return [
        str(path) for folder in folders if (path := Path(folder) / "addons").is_dir()
    ]
