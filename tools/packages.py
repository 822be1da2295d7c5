# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The virtual environment and the two programs that come from the system."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .ground import ROOT, VENV, WORK, Problem, python, run, say, set_stamp, stamp, which

REQUIREMENTS = [
    ROOT / "tools" / "requirements-odoo.txt",
    ROOT / "simulator" / "requirements.txt",
    ROOT / "tests" / "requirements.txt",
]
NO_DEPS = [
    ROOT / "tools" / "requirements-no-deps.txt",
    ROOT / "tests" / "requirements-no-deps.txt",
]
# Without any font a browser and a PDF show boxes.
FONTS = "fonts-dejavu-core"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def ensure_venv() -> None:
    """Create the virtual environment and install what the lists name."""
    files = [path for path in [*REQUIREMENTS, *NO_DEPS] if path.exists()]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files))
    digest.update(sys.version.encode())
    if stamp("venv", digest.hexdigest()):
        return
    say("Installing Python packages into the working folder ...")
    if not Path(python()).exists() or not (VENV / "bin" / "pip").exists():
        _make_venv()
    pip = [python(), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    lists = [arg for path in files if path not in NO_DEPS for arg in ("-r", str(path))]
    run([*pip, *lists], log="pip")
    bare = [arg for path in files if path in NO_DEPS for arg in ("-r", str(path))]
    run([*pip, "--no-deps", *bare], log="pip")
    set_stamp("venv", digest.hexdigest())


def _make_venv() -> None:
    """Make the environment; Debian keeps what that needs in a package of its own."""
    try:
        _create_venv()
    except (OSError, subprocess.CalledProcessError, SystemExit):
        if not which("apt-get"):
            raise Problem(
                "Python cannot make virtual environments here; "
                "install the package python3-venv and run the command again."
            ) from None
        _apt_install(["python3-venv"])
        _create_venv()


def _create_venv() -> None:
    """Make it with a process of its own: `ensurepip` may be missing."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        check=True,
        capture_output=True,
    )


def ensure_programs() -> None:
    """Install wkhtmltopdf and Chromium where they are missing."""
    missing = [
        package
        for package, names in (
            ("wkhtmltopdf", ("wkhtmltopdf",)),
            ("chromium", BROWSERS),
        )
        if not which(*names)
    ]
    if not missing:
        return
    if not which("apt-get"):
        raise Problem(
            f"Missing: {', '.join(missing)}. Install with your package manager."
        )
    _apt_install([*missing, FONTS])


def _apt_install(packages: list[str]) -> None:
    say(f"Installing {' and '.join(packages)} ...")
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run([*apt, "update"], log="apt", env=environment)
        run(
            [*apt, "install", "-y", "--no-install-recommends", *packages],
            log="apt",
            env=environment,
        )
    except (Problem, FileNotFoundError) as error:
        raise Problem(
            f"Could not install {' and '.join(packages)}; run: "
            f"apt-get install {' '.join(packages)}"
        ) from error


def browser_folder() -> Path:
    """Return a folder whose `chromium` starts the real one for a closed network.

    Odoo's `browser_js` starts the first Chromium on the path without the
    switches that keep it from calling home; a wrapper adds them.
    """
    folder = WORK / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(
        part
        for part in os.environ.get("PATH", "").split(os.pathsep)
        if Path(part) != folder
    )
    real = next((found for n in BROWSERS if (found := shutil.which(n, path=path))), "")
    wrapper = folder / "chromium"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'exec "{real}" --no-sandbox --disable-gpu --disable-quic --no-first-run'
        " --disable-background-networking --disable-component-update"
        ' --disable-sync "$@"\n'
    )
    wrapper.chmod(0o755)
    return folder
