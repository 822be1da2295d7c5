# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Nothing outside `clients/` knows a provider: its name, its modules, codes or fields."""

import ast
import re
from pathlib import Path

import pytest

import clients
from clients.whatsapp import PROFILES, Profile
from clients.whatsapp.meta.events import SUBSCRIBED_FIELDS

MODULE = Path(clients.__file__).parent.parent
SKIPPED = {"clients", "tests", "data", "i18n", "lib"}
# What others may import of `clients/whatsapp/`: no module of a single provider.
SHARED = {
    *("", "base", "error_table", "plain", "profile", "registry", "sender", "templates"),
}
NAMES = {*PROFILES, "360dialog", "meta_cloud", "d360", "twilio"}
CODES = {
    code
    for profile in PROFILES.values()
    for code, spec in profile.errors.items()
    if spec.meaning and len(code) > 4
}
FIELDS = set(SUBSCRIBED_FIELDS) - {"messages", "security", "user_preferences"}
HOSTS = re.compile(r"[a-z.]*(?:facebook\.com|360dialog\.io|twilio\.com)")
FIELDS |= {"hub.mode", "hub.challenge", "hub.verify_token", "nfm_reply"}

# (file, what is still said there): why.
LEFT: dict[tuple[str, str], str] = {
    (
        "views/account_views.xml",
        "business.facebook.com",
    ): "links of a form; shown only where an app is needed",
    (
        "views/account_views.xml",
        "developers.facebook.com",
    ): "links of a form; shown only where an app is needed",
}


def sources(*endings):
    return sorted(
        path
        for path in MODULE.rglob("*")
        if path.suffix in endings and not SKIPPED & set(path.relative_to(MODULE).parts)
    )


def relative(path):
    return path.relative_to(MODULE).as_posix()


def docstrings(tree):
    """Return the ids of the nodes that only explain."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def knowledge(path):
    """Yield what a Python file knows of a single provider."""
    tree = ast.parse(path.read_text("utf-8"))
    explaining = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from imported(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in explaining:
                yield from {node.value} & (NAMES | CODES | FIELDS)
                yield from HOSTS.findall(node.value)
        elif isinstance(node, ast.Name | ast.Attribute):
            word = node.id if isinstance(node, ast.Name) else node.attr
            yield from (name for name in NAMES - {"meta"} if name in word.lower())
            yield from payload(node)


def payload(node):
    """Yield where a provider's own shape of an event or error would be read."""
    if isinstance(node, ast.Attribute) and node.attr in ("raw", "field"):
        owner = getattr(node.value, "id", "")
        if owner in ("event", "update", "info", "error"):
            yield f"{owner}.{node.attr}"


def imported(node):
    _before, found, rest = (node.module or "").partition("clients.whatsapp")
    if not found:
        return
    module = rest.removeprefix(".")
    if module not in SHARED:
        yield module
    if not module:
        yield from ({alias.name for alias in node.names} & {"meta", "dialog360"})


@pytest.mark.parametrize("path", sources(".py"), ids=relative)
def test_python_knows_no_provider(path):
    found = {word for word in knowledge(path) if (relative(path), word) not in LEFT}
    assert not found


@pytest.mark.parametrize("path", sources(".xml", ".js"), ids=relative)
def test_views_and_scripts_compare_no_provider(path):
    text = path.read_text("utf-8")
    found = re.findall(rf"""["']({"|".join(sorted(NAMES))})["']""", text)
    found += HOSTS.findall(text)
    assert not {word for word in found if (relative(path), word) not in LEFT}


def test_what_is_left_is_still_there():
    for name, word in LEFT:
        path = MODULE / name
        assert word in (
            set(knowledge(path)) if path.suffix == ".py" else path.read_text("utf-8")
        ), (name, word)


def test_the_search_finds_what_it_should(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(
        '"""meta"""\n'
        "from ...clients.whatsapp.dialog360 import ERRORS\n"
        "from ...clients.whatsapp import meta\n"
        "from ...clients.whatsapp.meta.errors import ERRORS\n"
        'x = account.provider == "meta" or code == "131050"\n'
        'y = event.field == "account_update"\n'
        'w = event.raw["alert"] or "https://graph.facebook.com"\n'
        "z = Dialog360Client\n"
    )
    assert set(knowledge(file)) == {
        *("dialog360", "meta", "meta.errors", "131050", "account_update"),
        *("event.field", "event.raw", "graph.facebook.com"),
    }


def test_every_provider_answers_what_is_asked_outside():
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert profile.label
        assert profile.api_url.startswith("https://")
        assert profile.needs <= {"app_uid", "app_secret", "api_version"}
        assert {"token", "wrong_token", "disabled"} <= {
            field for field in profile.words.__slots__ if getattr(profile.words, field)
        }


def test_what_a_provider_can_do_is_said_once():
    """What is safe stands in the base: silence proves nothing until somebody says so."""
    assert not Profile.returns_proof_token
    assert not Profile.makes_webhook_secret
    assert Profile().challenge({"hub.mode": "subscribe"}, "token") is None
    with pytest.raises(NotImplementedError):
        Profile().verify_webhook(b"{}", {}, ["secret"])


@pytest.mark.parametrize("name", sorted(SHARED - {"", "registry"}))
def test_what_all_share_knows_none_of_them(name):
    """Only the registry names providers; one may be another's API behind a door."""
    path = MODULE / "clients" / "whatsapp" / f"{name}.py"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            assert (node.module or "").split(".")[0] in SHARED
