# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Phone numbers as WhatsApp sees them: digits, wa_id variants, countries, BSUIDs."""

from __future__ import annotations

import re
from hashlib import sha256

from ..text import words

BSUID = re.compile(r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")
_NOT_DIGITS = re.compile(r"\D")
_COUNTRIES = words(
    "1US 20EG 211SS 212MA 213DZ 216TN 218LY 221SN 225CI 233GH 234NG 237CM 244AO 249SD "
    "251ET 254KE 255TZ 256UG 258MZ 260ZM 263ZW 27ZA 30GR 31NL 32BE 33FR 34ES 351PT "
    "352LU 353IE 354IS 355AL 356MT 357CY 358FI 359BG 36HU 370LT 371LV 372EE 373MD "
    "374AM 375BY 380UA 381RS 385HR 386SI 387BA 389MK 39IT 40RO 41CH 420CZ 421SK 43AT "
    "44GB 45DK 46SE 47NO 48PL 49DE 501BZ 502GT 503SV 504HN 505NI 506CR 507PA 509HT "
    "51PE 52MX 53CU 54AR 55BR 56CL 57CO 58VE 591BO 592GY 593EC 595PY 597SR 598UY 60MY "
    "61AU 62ID 63PH 64NZ 65SG 66TH 7RU 81JP 82KR 84VN 850KP 852HK 853MO 855KH 856LA "
    "86CN 880BD 886TW 90TR 91IN 92PK 93AF 94LK 95MM 961LB 962JO 963SY 964IQ 965KW "
    "966SA 967YE 968OM 970PS 971AE 972IL 973BH 974QA 975BT 976MN 977NP 98IR 992TJ "
    "993TM 994AZ 995GE 996KG 998UZ"
)
CALLING_CODES: dict[str, str] = {entry[:-2]: entry[-2:] for entry in _COUNTRIES}
# Countries that may not be messaged (error 130497).
SANCTIONED = frozenset({"CU", "IR", "KP", "SY"})
# +1 numbers that are not the United States'.
_NOT_US = frozenset(
    words(
        "204 226 236 249 250 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 "
        "437 438 450 468 474 506 514 519 548 579 581 584 587 604 613 639 647 672 683 705 "
        "709 742 753 778 780 782 807 819 825 867 873 879 902 905 "
        "242 246 264 268 284 340 345 441 473 649 658 664 671 684 721 758 767 784 787 809 "
        "829 849 868 869 876 939"
    )
)


def digits_of(text: str) -> str:
    """Keep the digits only."""
    return text if text.isdigit() else _NOT_DIGITS.sub("", text)


def calling_code(digits: str) -> str:
    """Return the longest known calling code these digits start with, or nothing."""
    for length in (3, 2, 1):
        if digits[:length] in CALLING_CODES:
            return digits[:length]
    return ""


def country_of(digits: str) -> str:
    """Return the ISO country of a number, `XX` where unknown."""
    code = calling_code(digits)
    if code == "1" and digits[1:4] in _NOT_US:
        return "CA"
    return CALLING_CODES.get(code, "XX")


def wa_id_of(digits: str) -> str:
    """Return the id WhatsApp uses for a number (BR, MX, AR differ)."""
    if len(digits) == 12 and digits.startswith("52"):
        return "521" + digits[2:]
    if len(digits) == 12 and digits.startswith("54"):
        return "549" + digits[2:]
    is_brazil = len(digits) == 13 and digits.startswith("55") and digits[4] == "9"
    if is_brazil and digits[2:4] >= "31":
        return digits[:4] + digits[5:]
    return digits


def bsuid_of(wa_id: str) -> str:
    """Return the business-scoped user id that belongs to a number, always the same."""
    number = int.from_bytes(sha256(wa_id.encode()).digest()[:7], "big")
    return f"{country_of(wa_id)}.{number:017d}"


def is_bsuid(text: str) -> bool:
    """Tell a business-scoped user id from a phone number."""
    return BSUID.match(text) is not None


def display(digits: str) -> str:
    """Write a number for people: `+34 600 11 12 22`."""
    code = calling_code(digits)
    rest = digits[len(code) :]
    head, tail = rest[:3], rest[3:]
    if len(tail) % 2 and len(tail) > 1:
        groups = [tail[:3], *(tail[i : i + 2] for i in range(3, len(tail), 2))]
    else:
        groups = [tail[i : i + 2] for i in range(0, len(tail), 2)]
    return " ".join(part for part in ("+" + code, head, *groups) if part)
