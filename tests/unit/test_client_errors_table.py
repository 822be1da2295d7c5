# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import re

import pytest

from clients.errors import KINDS, ContentError
from clients.whatsapp import error_table
from clients.whatsapp.dialog360 import ERRORS
from clients.whatsapp.error_table import DEFAULT_CONTENT, DEFAULT_TRANSIENT

# Meta's codes and 360dialog's own.
classify = ERRORS.classify

# The codes of Meta's page "Error codes" (Cloud API, 2026-09) by what the sender does:
# T retry, P final, C stop, S special.
BY_ACTION = {
    "T": "1 2 4 613 80007 130429 131000 131016 131056 131057 132069 133000 133004"
    " 133015 134101 2494100",
    "P": "100 130403 130472 130497 131008 131009 131021 131026 131047 131050 131051"
    " 131052 131053 131055 131061 131062 131065 132000 132001 132005 132007 132008"
    " 132012 132016 132018 132021 132068 134100 134102 135000 136025 137000 138000"
    " 138018 139000 139001 139002 139003 139004 139100 139101 147001 147002 147003"
    " 147004 147005",
    "C": "0 3 10 33 104 190 200 201 250 299 368 2500 131005 131031 131037 131042 131044"
    " 131045 133005 133006 133010 134011 141002",
    "S": "131048 131049 131064 132015 133008 133009 133016",
}
ALLOWED = {
    "T": {"pace", "transient"},
    "P": {"content", "recipient", "template"},
    "C": {"account", "number"},
    "S": {"recipient_limit", "template"},
}
SUBCODES = [
    *("2388023", "2388094"),
    *("2388019", "2388024", "2388039", "2388040", "2388047", "2388072"),
    *("2388073", "2388273", "2388293", "2388299", "2388318", "2388330"),
]


@pytest.mark.parametrize(
    ("action", "code"),
    [(action, code) for action, codes in BY_ACTION.items() for code in codes.split()],
)
def test_every_code_of_the_fact_sheet_has_its_class(action, code):
    spec = ERRORS[code]
    assert spec.code == code
    assert spec.kind in ALLOWED[action]
    assert classify(code) == spec


def test_configuration_that_is_not_the_accounts_does_not_stop_it():
    # A test number's list of people, a switch for marketing only: other messages go.
    assert ERRORS["131030"].kind == "recipient"
    assert ERRORS["131063"].kind == "template"
    # "Other" codes of the block list: two are Meta's own trouble.
    assert ERRORS["139102"].kind == ERRORS["139103"].kind == "transient"


@pytest.mark.parametrize("code", range(200, 300))
def test_missing_permission_stops_the_account(code):
    assert classify(str(code)).kind == "account"


@pytest.mark.parametrize("code", SUBCODES)
def test_subcode_of_the_general_code_says_more(code):
    assert classify("100", subcode=code) == ERRORS[code]
    assert ERRORS[code].kind == "template"


def test_general_code_stays_general():
    assert classify("100").kind == "content"
    assert classify("100", subcode="33") == ERRORS["100"]
    assert classify("100", subcode="999") == ERRORS["100"]
    assert classify("190", subcode="2388024") == ERRORS["190"]


@pytest.mark.parametrize(
    ("status", "transient", "kind"),
    [
        (400, False, "content"),
        (404, False, "content"),
        (None, False, "content"),
        (500, False, "transient"),
        (503, False, "transient"),
        (400, True, "transient"),
        (None, True, "transient"),
    ],
)
def test_unknown_code_is_transient_only_with_a_reason(status, transient, kind):
    spec = classify("2593199", status, transient)
    assert (spec.code, spec.kind) == ("2593199", kind)
    assert spec.sentence in (DEFAULT_CONTENT, DEFAULT_TRANSIENT)


def test_every_kind_is_one_that_errors_have():
    assert {spec.kind for spec in ERRORS.values()} == set(KINDS)


@pytest.mark.parametrize(
    "sentence",
    sorted({spec.sentence for spec in ERRORS.values()} | {DEFAULT_CONTENT}),
)
def test_sentence_is_for_people(sentence):
    # What happened and what to do: two sentences or a clause, no codes, no jargon.
    assert len(re.findall(r"[.;](?=\s|$)", sentence)) >= 1
    assert sentence.endswith(".")
    assert 40 < len(sentence) < 260
    assert not re.search(r"\d", sentence.replace("360dialog", ""))
    jargon = r"\b(API(?! key)|HTTP|JSON|WABA|payload|parameter|endpoint|webhook|null)\b"
    assert not re.search(jargon, sentence)
    assert "  " not in sentence


def test_what_asks_for_patience_names_it():
    assert classify("131057").retry_after == 60.0
    assert classify("133015").retry_after == 300.0
    assert classify("131026").retry_after is None


def test_a_subcode_says_the_same_in_every_language():
    """A Spanish sentence about a template has "mediante" in it, and is no media."""
    spec = classify("100", 400, subcode="2388023")
    assert spec.kind == "template"
    assert "name" in spec.sentence
    assert classify("100", 400, subcode="2388001").kind == "content"
    assert classify("100", 400, subcode="2388999") == ERRORS["100"]


def test_the_providers_words_are_one_line():
    """They are written to logs, where a line break would begin a line of its own."""
    error = ContentError("no\n2026-12-01 ERROR all lost", details="a\r\u2028b")
    assert len(str(error).splitlines()) == 1
    assert str(error).endswith("no 2026-12-01 ERROR all lost - a b")


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("131050", error_table.OPTED_OUT),
        ("132015", error_table.TEMPLATE_PAUSED),
        ("132016", error_table.TEMPLATE_DISABLED),
        ("133010", error_table.UNREGISTERED),
        ("131045", error_table.UNREGISTERED),
        ("131052", error_table.FILE_LOST),
        ("131053", error_table.FILE_REFUSED),
        ("100", error_table.UNSPECIFIC),
        ("102", error_table.BAD_CREDENTIALS),
        ("131026", ""),
    ],
)
def test_what_follows_from_a_code_is_its_meaning(code, meaning):
    assert classify(code).meaning == meaning


def test_what_nobody_sent_is_kept_with_the_providers_own_code():
    assert ERRORS.code_of(error_table.FILE_LOST) == "131052"
    assert ERRORS.code_of("nothing") == ""


def test_a_providers_table_has_our_own_codes_too():
    table = error_table.ErrorTable({"pace": {"20429": "Slower. Please wait a bit."}})
    assert table.classify("20429").kind == "pace"
    assert table.classify(error_table.UNSENDABLE).kind == "content"
    assert table.classify("190").sentence == DEFAULT_CONTENT
