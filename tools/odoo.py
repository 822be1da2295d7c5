# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Configure, initialise and start Odoo with its job runner."""

import configparser
import hashlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from . import odoo_source, postgres
from .ground import LOGS, PATIENCE, ROOT, WORK, Problem, python, say
from .packages import browser_folder

MODULE = "whatsapp_billing"
# A document type of its own, in the databases of tests only.
TEST_MODULE = "test_whatsapp_billing"
DEPENDS = "account,account_payment,phone_validation,base_automation,queue_job"
CHANNELS = "root:8,root.whatsapp:4,root.inbox:2,root.erp:2"
BASE = "wab_base"


def environment() -> dict[str, str]:
    """Return the environment in which `python -m odoo` runs."""
    folders = odoo_source.find()
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, [*folders, inherited]))
    return {
        **os.environ,
        "PYTHONPATH": path,
        "PATH": f"{browser_folder()}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }


def launcher() -> str:
    """Return a script that starts Odoo: its gevent worker starts it by its path."""
    path = WORK / "odoo-bin"
    path.write_text("from odoo.cli.command import main\n\nmain()\n")
    return str(path)


def write_conf(name: str, port: int, workers: int = 2, **options: object) -> Path:
    """Write an `odoo.conf` for one server and return its path.

    :param name: file name without extension, also used for the data folder's log
    :param port: HTTP port on loopback; the gevent port is the next one
    """
    database = postgres.settings()
    addons = [str(ROOT), *odoo_source.addons_paths(odoo_source.find())]
    conf = configparser.ConfigParser(interpolation=None)
    conf["options"] = {
        "addons_path": ",".join(addons),
        "data_dir": str(WORK / "data"),
        "db_host": database["host"],
        "db_port": database["port"],
        "db_user": database["user"],
        **({"db_password": database["password"]} if database["password"] else {}),
        "http_interface": "127.0.0.1",
        "http_port": str(port),
        "gevent_port": str(port + 1),
        "workers": str(workers),
        "max_cron_threads": "1",
        "list_db": "False",
        "admin_passwd": "admin",
        "server_wide_modules": "base,web,rpc,queue_job",
        "limit_time_cpu": "600",
        "limit_time_real": "1200",
        **{key: str(value) for key, value in options.items()},
    }
    conf["queue_job"] = {
        "channels": CHANNELS,
        "scheme": "http",
        "host": "127.0.0.1",
        "port": str(port),
    }
    path = WORK / "conf" / f"{name}.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        conf.write(stream)
    path.chmod(0o600)
    return path


def odoo(arguments: list[str], log: str, **kwargs: object) -> None:
    """Run one Odoo command to its end.

    :raise Problem: when it fails, with the last error of its log
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with path.open("wb") as stream:
        result = subprocess.run(
            [python(), launcher(), *arguments],
            env=environment(),
            cwd=WORK,
            stdout=stream,
            stderr=subprocess.STDOUT,
            **kwargs,
        )
    text = path.read_text(errors="replace")
    if result.returncode or " CRITICAL " in text:
        raise Problem(f"Odoo failed; the end of {path}:\n" + "\n".join(_tail(text)))


def _tail(text: str, lines: int = 25) -> list[str]:
    return text.splitlines()[-lines:]


def ensure_base() -> str:
    """Make the database with what the module depends on, once per Odoo."""
    if postgres.exists(BASE):
        return BASE
    say("Preparing a database with Accounting (half a minute, once) ...")
    name = f"{BASE}_new"
    postgres.drop(name)
    postgres.create(name)
    conf = write_conf("init", 8068)
    init = ["-c", str(conf), "-d", name, "--no-http", "--stop-after-init"]
    odoo([*init, "-i", DEPENDS, "--load=base,web,rpc,queue_job"], log="base")
    postgres.execute("postgres", f'ALTER DATABASE "{name}" RENAME TO "{BASE}"')
    _drop_filestore(BASE)
    _filestore(name).rename(_filestore(BASE))
    return BASE


def make_database(name: str, demo: bool = False, fresh: bool = False) -> None:
    """Make (or bring up to date) a database with the module.

    :param demo: also load the demo data of the module and of Accounting
    :param fresh: drop an existing one first
    """
    if fresh:
        postgres.drop(name)
        _drop_filestore(name)
    conf = write_conf("init", 8068)
    common = ["-c", str(conf), "-d", name, "--no-http", "--stop-after-init"]
    common.append("--load=base,web,rpc,queue_job")
    if postgres.exists(name):
        if _module_stamp(name) != source_digest():
            say(f"Updating the module in {name} ...")
            odoo([*common, "-u", MODULE], log=f"update-{name}")
    elif demo:
        say(f"Making the database {name} with demo data ...")
        postgres.create(name)
        odoo([*common, "-i", f"{DEPENDS},{MODULE}", "--with-demo"], log=f"init-{name}")
    else:
        template = ensure_base()
        postgres.create(name, template)
        copy_filestore(template, name)
        say(f"Installing the module in {name} ...")
        odoo([*common, "-i", MODULE], log=f"init-{name}")
    set_parameter(name, "whatsapp_billing.tools_digest", source_digest())
    _one_document_per_call(name)


def ensure_test_module(name: str) -> None:
    """Install what only tests have; from then on it is updated with the module."""
    rows = postgres.execute(
        name, "SELECT state FROM ir_module_module WHERE name = %s", [TEST_MODULE]
    )
    if rows and rows[0][0] == "installed":
        return
    say(f"Installing {TEST_MODULE} in {name} ...")
    common = ["-c", str(write_conf("init", 8068)), "-d", name, "--no-http"]
    common += ["--stop-after-init", "--load=base,web,rpc,queue_job"]
    odoo([*common, "-i", TEST_MODULE], log=f"init-{name}-tests")


def _one_document_per_call(name: str) -> None:
    """Tell Odoo that an unpatched wkhtmltopdf renders one document at a time."""
    version = subprocess.run(
        ["wkhtmltopdf", "--version"], capture_output=True, text=True
    ).stdout
    if "patched qt" not in version:
        set_parameter(name, "account.pdf_generation_batch", "0")


def set_parameter(name: str, key: str, value: str) -> None:
    """Set a system parameter of a database that no server is serving yet."""
    postgres.execute(
        name,
        "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, value],
    )


def source_digest() -> str:
    """Return a digest of the module's files, to know when to update databases."""
    digest = hashlib.sha256()
    files = [*(ROOT / MODULE).rglob("*"), *(ROOT / TEST_MODULE).rglob("*")]
    for path in sorted(files):
        hidden = any(part[:1] in "._" for part in path.relative_to(ROOT).parts[1:-1])
        if path.is_file() and not hidden:
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _module_stamp(name: str) -> str:
    rows = postgres.execute(
        name,
        "SELECT value FROM ir_config_parameter WHERE key = %s",
        ["whatsapp_billing.tools_digest"],
    )
    return rows[0][0] if rows else ""


def _filestore(name: str) -> Path:
    return WORK / "data" / "filestore" / name


def _drop_filestore(name: str) -> None:
    import shutil

    shutil.rmtree(_filestore(name), ignore_errors=True)


def copy_filestore(source: str, target: str) -> None:
    import shutil

    _drop_filestore(target)
    if _filestore(source).exists():
        shutil.copytree(_filestore(source), _filestore(target))


@contextmanager
def server(name: str, port: int, conf: Path, arguments: list[str] | None = None):
    """Serve a database until the block ends; yields the base address.

    :raise Problem: when `/web/login` does not answer 200 in time
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"server-{name}.log"
    set_parameter(name, "web.base.url", f"http://127.0.0.1:{port}")
    set_parameter(name, "web.base.url.freeze", "True")
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [
                python(),
                launcher(),
                "-c",
                str(conf),
                "-d",
                name,
                *(arguments or []),
            ],
            env=environment(),
            cwd=WORK,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/web/login", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """End a server that we started, gently first."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(
    url: str, process: subprocess.Popen, log: Path, seconds: int = 120
) -> None:
    """Wait until `url` answers 200.

    :param seconds: how long it may take on a quiet machine
    """
    deadline = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    end = "\n".join(_tail(log.read_text(errors="replace")))
    raise Problem(f"{url} did not answer; the end of {log}:\n{end}")


@contextmanager
def simulator(port: int):
    """Run the simulator until the block ends; yields its base address."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"simulator-{port}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [python(), "-m", "simulator", "--port", str(port)],
            cwd=ROOT,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/_control/state", process, log, 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def api_key(name: str, login: str = "admin") -> str:
    """Make an API key for a user of a database and return it."""
    script = (
        "import json\n"
        f"user = env['res.users'].search([('login', '=', {login!r})])\n"
        "user.env.cr.execute('DELETE FROM res_users_apikeys "
        "WHERE user_id = %s AND name = %s', [user.id, 'tools'])\n"
        "key = env['res.users.apikeys'].with_user(user)._generate("
        "None, 'tools', None)\n"
        "env.cr.commit()\n"
        "print('KEY ' + json.dumps(key))\n"
    )
    output = shell_script(name, script)
    line = next(line for line in output.splitlines() if line.startswith("KEY "))
    return json.loads(line[4:])


def shell_script(name: str, script: str) -> str:
    """Run a script in `odoo shell` and return what it printed."""
    conf = write_conf("shell", 8068, workers=0)
    result = subprocess.run(
        [python(), launcher(), "shell", "-c", str(conf), "-d", name, "--no-http"],
        env=environment(),
        cwd=WORK,
        input=script,
        text=True,
        capture_output=True,
    )
    if result.returncode:
        raise Problem("odoo shell failed:\n" + "\n".join(_tail(result.stderr)))
    return result.stdout
