# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A template's parts: from the provider's list of components to ours, and back.

Shapes: Meta's template creation page of 2026-09; types and formats come back
in either case.
"""

import re

from ...rules import parameters

KNOWN = {"HEADER", "BODY", "FOOTER", "BUTTONS"}
HEADERS = {"TEXT": "text", "DOCUMENT": "document"}
NAMED = re.compile(r"\{\{\s*[^\W\d]\w*\s*\}\}")
BUTTONS = {"URL": "url", "PHONE_NUMBER": "phone", "QUICK_REPLY": "quick_reply"}


def find(components, kind):
    """Return the first component of a type, {} if there is none."""
    return next((part for part in components or [] if _upper(part, "type") == kind), {})


def buttons(components):
    """Return the provider's buttons in their order."""
    return find(components, "BUTTONS").get("buttons") or []


def parse(components):
    """Return our field values, and the variables by (component, position) -> sample."""
    header, body = find(components, "HEADER"), find(components, "BODY")
    header_type = HEADERS.get(_header_format(header), "none") if header else "none"
    is_text = header_type == "text"
    return {
        "header_type": header_type,
        "header_text": (header.get("text") or False) if is_text else False,
        "body": body.get("text") or "",
        "footer": find(components, "FOOTER").get("text") or False,
    }


def parse_buttons(components):
    """Return kind, text and value of the buttons that we know."""
    return [
        {
            "kind": BUTTONS[_upper(button, "type")],
            "text": button.get("text") or "",
            "value": button.get("url") or button.get("phone_number") or False,
        }
        for button in buttons(components)
        if _upper(button, "type") in BUTTONS
    ]


def parse_samples(components):
    """Return the variables: {(component, position): sample}."""
    header, body = find(components, "HEADER"), find(components, "BODY")
    samples = {
        "header": _flat((header.get("example") or {}).get("header_text")),
        "body": _flat((body.get("example") or {}).get("body_text")),
    }
    texts = {"header": header.get("text") or "", "body": body.get("text") or ""}
    found = {
        (component, position): _at(samples[component], position)
        for component, text in texts.items()
        for position in parameters.placeholders(text)
    }
    for place, url in links(components).items():
        button = buttons(components)[place - 1]
        sample = _at(_flat(button.get("example")), 1)
        found["button", place] = sample.removeprefix(url.partition("{{")[0])
    return found


def links(components):
    """Return {place of the button: its address} of addresses with a variable.

    The provider numbers the variable of each button for itself, so its place among
    the buttons, from 1 on, tells whose value a value is.
    """
    return {
        place: button["url"]
        for place, button in enumerate(buttons(components), start=1)
        if parameters.placeholders(button.get("url") or "")
    }


def without_null(value):
    """Return the same JSON without nulls, which XML-RPC cannot carry."""
    if isinstance(value, dict):
        return {k: without_null(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_null(entry) for entry in value if entry is not None]
    return value


def unsupported(components, parameter_format=""):
    """Return the provider's words for what cannot be filled in here, [] if all can.

    Whatever is not known counts, also kinds of parts that do not exist yet: WhatsApp
    refuses a message that leaves one out.
    """
    found = [
        _upper(part, "type") or "UNKNOWN"
        for part in components or []
        if _upper(part, "type") not in KNOWN
    ]
    header = find(components, "HEADER")
    if header and _header_format(header) not in HEADERS:
        found.append(_header_format(header))
    found += [
        _upper(button, "type") or "UNKNOWN"
        for button in buttons(components)
        if _upper(button, "type") not in BUTTONS
    ]
    if parameter_format.upper() == "NAMED" or _has_names(components):
        found.append("NAMED")
    return list(dict.fromkeys(found))


def _header_format(header):
    return _upper(header, "format") or ("TEXT" if header.get("text") else "UNKNOWN")


def _has_names(components):
    """Tell whether variables have names, which the list need not say by itself."""
    texts = [part.get("text") for part in components or []]
    texts += [button.get("url") for button in buttons(components)]
    return any(NAMED.search(text or "") for text in texts)


def build(content, samples, header_handle=""):
    """Return the components of a template to submit.

    :param content: `rules.template_check.TemplateContent`
    :param samples: {(component, position): sample}
    """
    built = [
        _build_header(content, samples, header_handle),
        _with_example("BODY", content.body, "body", samples),
        {"type": "FOOTER", "text": content.footer} if content.footer else None,
        _build_buttons(content, samples),
    ]
    return [part for part in built if part]


def _build_header(content, samples, header_handle):
    if content.header_type == "none":
        return None
    if content.header_type == "text":
        part = _with_example("HEADER", content.header_text, "header", samples)
        return {"type": "HEADER", "format": "TEXT"} | part
    header = {"type": "HEADER", "format": content.header_type.upper()}
    if header_handle:
        header["example"] = {"header_handle": [header_handle]}
    return header


def _with_example(kind, text, component, samples):
    part = {"type": kind, "text": text}
    values = [
        samples.get((component, position), "")
        for position in sorted(set(parameters.placeholders(text)))
    ]
    if values and component == "body":
        part["example"] = {"body_text": [values]}
    elif values:
        part["example"] = {"header_text": values}
    return part


def _build_buttons(content, samples):
    if not content.buttons:
        return None
    built = [
        _build_button(button, samples.get(("button", place), ""))
        for place, button in enumerate(content.buttons, start=1)
    ]
    return {"type": "BUTTONS", "buttons": built}


def _build_button(button, sample):
    if button.kind == "phone":
        return {
            "type": "PHONE_NUMBER",
            "text": button.text,
            "phone_number": button.value,
        }
    if button.kind == "quick_reply":
        return {"type": "QUICK_REPLY", "text": button.text}
    built = {"type": "URL", "text": button.text, "url": button.value}
    if parameters.placeholders(button.value):
        built["example"] = [parameters.fill(button.value, [sample])]
    return built


def _upper(part, key):
    return str(part.get(key) or "").upper()


def _flat(values):
    """Return a list of texts: examples come as a text, a list or a list of lists."""
    if isinstance(values, str):
        return [values]
    flat = []
    for value in values or []:
        flat += value if isinstance(value, list) else [value]
    return [str(value) for value in flat]


def _at(values, position):
    return values[position - 1] if position <= len(values) else ""
