# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What one can do with the simulated phone by clicking, in a real browser."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.testkit import PDF, World, components, parameters, template

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
BUTTONS = [
    {"type": "URL", "text": "See it", "url": "https://x.test/a"},
    {"type": "QUICK_REPLY", "text": "I have paid"},
]


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        world.listen()
        parts = components(buttons={"buttons": BUTTONS})
        document = {"type": "HEADER", "format": "DOCUMENT"}
        world.make_template(name="ask", components=[document, *parts])
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-quic", "--no-proxy-server"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(world: World, browser: Any) -> Iterator[Any]:
    """Open the phone that has just received an invoice."""
    document = {"id": world.upload().json["id"], "filename": "INV-1.pdf"}
    header = {"type": "document", "document": document}
    head = {"type": "header", "parameters": [header]}
    sent = template("ask", "es_ES", head, parameters("Ana", "F-1"))
    assert world.send(type="template", template=sent).status == 200
    page = browser.new_page(viewport={"width": 390, "height": 844})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(world.url)
    page.fill("#number", "+34 600 11 12 22")
    page.click("text=Open phone")
    page.wait_for_selector(".bubble")
    yield page
    page.close()
    assert problems == []


def test_the_invoice_is_there_and_reading_it_is_told(world: World, page: Any) -> None:
    assert "INV-1.pdf" in page.inner_text(".card")
    assert "Hola Ana, tu factura F-1" in page.inner_text(".bubble")
    with page.expect_popup() as popup:
        page.click(".card")
    assert popup.value.url.startswith(f"{world.url}/phone/34600111222/file/")
    page.click("#info")
    page.wait_for_selector(".told .what:text-is('read')")


def test_tapping_writing_and_sending_a_file(world: World, page: Any) -> None:
    page.click("button:has-text('I have paid')")
    page.wait_for_selector(".mine:has-text('I have paid')")
    page.wait_for_selector("button.choice:disabled")
    page.fill("#text", "here it *is*")
    page.click(".send")
    page.wait_for_selector(".mine b:text-is('is')")
    file = {"name": "proof.pdf", "mimeType": "application/pdf", "buffer": PDF}
    page.set_input_files("#file", file)
    page.wait_for_selector(".mine .card:has-text('proof.pdf')")
    world.flush()
    kinds = [message["type"] for message in world.listener.inbound()]
    assert kinds == ["button", "text", "document"]


def test_stop_block_and_switches(world: World, page: Any) -> None:
    page.click("#info")
    page.click("text=Write STOP")
    page.wait_for_selector(".told :text('STOP')")
    page.uncheck("text=Phone is switched on")
    page.click("#block")
    page.wait_for_selector("#block:text-is('Unblock')")
    page.click("#close")
    page.click("#blocked button")
    page.wait_for_selector("#compose")
    (user,) = world.ask("state")["users"]
    assert (user["online"], user["blocks"]) == (False, [])


@pytest.mark.parametrize("width", [320, 390, 800, 1500])
def test_nothing_is_wider_than_the_window(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width
