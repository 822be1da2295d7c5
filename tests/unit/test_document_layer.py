# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What is sent is asked by hooks: messages and dialogs name no document's model.

A document type is a model with `whatsapp.billing.document.mixin`. Whoever compares the
name of one, or reads its table, decides for that type alone and forgets the next one.
"""

import ast
import re
from pathlib import Path

import pytest

import clients

MODULE = Path(clients.__file__).parent.parent
PLACES = (
    *("models/account", "models/claim", "models/consent", "models/inbox"),
    *("models/message", "models/privacy", "models/sending", "models/template"),
    *("models/worker", "wizard", "models/ir_actions_server.py"),
    *("models/document/base.py", "models/document/document_mixin.py"),
    "models/res_config_settings.py",
)
NAMES = frozenset({"account.move", "account.payment", "res.partner"})
# Whoever a message is to is a contact: these calls only get at contacts.
CONTACT = "res.partner"
IN_SQL = re.compile(
    r"""'(account\.move|account\.payment|res\.partner)'|\b(account_move|account_payment)\b"""
)
RELATIONS = frozenset({"Many2one", "Many2many", "One2many"})

# (file, what is named there): why that decides nothing about sending.
LEFT: dict[tuple[str, str], str] = {
    ("models/ir_actions_server.py", "res.partner"): "which fields lead to a contact",
    (
        "models/consent/consent.py",
        "res.partner",
    ): "who may read the words of a contact",
    (
        "models/message/message.py",
        "account.move",
    ): "a partial index of readers",
    ("models/message/message.py", "account.payment"): "the same",
    ("models/message/message.py", "res.partner"): "the same; who reads texts",
    (
        "models/inbox/message_inbound_tell.py",
        "res.partner",
    ): "where a customer's words are kept: on who wrote them",
    ("models/privacy/privacy.py", "res.partner"): "what is erased of a contact itself",
    ("models/template/template_render.py", "res.partner"): "how a contact is called",
    (
        "wizard/base_partner_merge.py",
        "res.partner",
    ): "contacts are merged, nothing else",
    ("wizard/collection_forecast.py", "account.move"): "opens the invoices of a list",
    ("wizard/compose.py", "res.partner"): "opens contacts whose number is to be mended",
    ("wizard/partner_enable.py", "res.partner"): "opens the contacts of a list",
}


def sources():
    found = []
    for place in map(MODULE.joinpath, PLACES):
        found += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return found


def relative(path):
    return path.relative_to(MODULE).as_posix()


def named(path):
    """Yield the models of documents that a file's code names, not its explanations."""
    tree = ast.parse(path.read_text("utf-8"))
    fine = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            fine.add(id(node.value))
        elif isinstance(node, ast.Subscript) and is_env(node.value):
            fine |= {id(node.slice)} if says(node.slice, CONTACT) else set()
        elif is_relation(node) or is_inherit(node):
            fine |= {id(child) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in fine:
                continue
            yield from {node.value} & NAMES
            for match in IN_SQL.finditer(node.value):
                yield match[1] or match[2].replace("_", ".")


def is_env(node):
    return isinstance(node, ast.Attribute) and node.attr == "env"


def says(node, text):
    return isinstance(node, ast.Constant) and node.value == text


def is_relation(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in RELATIONS
    )


def is_inherit(node):
    if not isinstance(node, ast.Assign):
        return False
    names = {target.id for target in node.targets if isinstance(target, ast.Name)}
    return bool(names & {"_inherit", "_name"})


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_no_model_of_documents_is_named(path):
    assert not {name for name in named(path) if (relative(path), name) not in LEFT}


def test_what_is_left_is_still_there():
    for name, model in LEFT:
        assert model in set(named(MODULE / name)), (name, model)


@pytest.mark.parametrize(
    "code",
    [
        'if record._name == "res.partner":\n    pass',
        'DOCUMENTS = ("account.move", "account.payment")',
        'moves = self.env["account.move"].browse(ids)',
        """cr.execute("WHERE res_model = 'account.move'")""",
        'cr.execute("SELECT 1 FROM m LEFT JOIN account_move v ON TRUE")',
    ],
)
def test_it_is_found(tmp_path, code):
    path = tmp_path / "some.py"
    path.write_text(code, "utf-8")
    assert list(named(path))


@pytest.mark.parametrize(
    "code",
    [
        '"""As `account.move.wab_send` does."""',
        'partner_id = fields.Many2one("res.partner", index=True)',
        'people = self.env["res.partner"].browse(ids)',
        '_inherit = ["account.move"]',
    ],
)
def test_it_is_none(tmp_path, code):
    path = tmp_path / "some.py"
    path.write_text(code, "utf-8")
    assert not list(named(path))


def test_the_example_of_the_page_is_the_one_that_is_tested():
    page = (MODULE.parent / "doc" / "documents.md").read_text("utf-8")
    code = (MODULE.parent / "test_whatsapp_billing" / "document.py").read_text("utf-8")
    shown = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown
    told = squeeze(code)
    for line in "".join(shown).splitlines():
        is_short = line.endswith("(...)") or '"""' in line
        assert is_short or squeeze(line.replace('"test_document"', "TYPE")) in told, (
            line
        )


def squeeze(code):
    """Return code without what a formatter decides."""
    return re.sub(r"[\s,]+", "", code)
