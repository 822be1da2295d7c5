# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A clerk and a customer in real browsers, side by side."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.e2e import world as worlds
from tests.e2e.world import until
from tools import ground
from tools.ground import which
from tools.packages import BROWSERS

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Milliseconds that a page may take.
PATIENCE = 60_000 * ground.PATIENCE
INVOICES = "action-account.action_move_out_invoice_type"


@pytest.fixture(scope="module")
def world(template, phones):
    """One process for pages and live news, as without a reverse proxy in front."""
    with worlds.serving("wab_e2e_browser", phones, workers=0) as world:
        yield world


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which(*BROWSERS), args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def desk(world, browser):
    """The clerk's browser, logged in."""
    page = open_page(browser, viewport={"width": 1600, "height": 1000})
    page.goto(f"{world.server.url}/web/login")
    page.fill("input[name=login]", "clerk")
    page.fill("input[name=password]", "clerk")
    page.click("form.oe_login_form button[type=submit]")
    page.wait_for_url(re.compile(r"/odoo"))
    return page


def open_page(browser, **options):
    """Return a page of a person of its own: no cookies of anybody else."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def open_invoice(world, desk, move):
    desk.goto(f"{world.server.url}/odoo/{INVOICES}/{move}")
    desk.locator(".o_form_view").wait_for()


def state_shown(desk, word):
    """Return the ticks of this state in the chatter."""
    return desk.locator(f".o-mail-Message .o_whatsapp_billing_state_{word}").first


def test_clerk_sends_and_customer_reads_and_opens_the_pay_link(world, browser, desk):
    number, partner = world.partner(name="Ana García")
    move = world.invoice(partner)
    name = world.admin.read("account.move", [move], ["name"])[0]["name"]
    phone = open_page(browser, viewport={"width": 420, "height": 800})
    phone.goto(f"{world.phones.url}/phone/{number.lstrip('+')}")

    open_invoice(world, desk, move)
    desk.locator("button[name=action_invoice_sent]:visible").first.click()
    dialog = desk.locator(".modal")
    tick = dialog.locator(".o-checkbox", has_text="WhatsApp").locator("input")
    expect(tick).to_be_checked(timeout=PATIENCE)
    expect(dialog.locator(".o_whatsapp_billing_send_right")).to_contain_text(name)
    dialog.locator(".o-checkbox", has_text="Email").locator("input").uncheck()
    dialog.locator("button[name=action_send_and_print]:visible").click()
    expect(dialog).to_have_count(0, timeout=PATIENCE)

    # The customer sees the bubble without touching anything.
    bubble = phone.locator("#chat", has_text=name)
    bubble.wait_for()
    expect(phone.locator("#chat .card")).to_contain_text(".pdf")
    expect(phone.locator("#chat")).to_contain_text("Ana García")
    # An open phone has read it; the clerk sees so without reloading the page.
    state_shown(desk, "read").wait_for()

    # The button opens the invoice for somebody who has no login.
    link = phone.locator("#chat a.choice").first.get_attribute("href")
    assert urlsplit(link).netloc == urlsplit(world.server.url).netloc
    visitor = open_page(browser)
    answer = visitor.goto(link)
    assert answer.status == 200 and answer.request.redirected_from is None
    expect(visitor.locator("body")).to_contain_text(name)
    assert "/web/login" not in visitor.url


def test_composer_on_the_invoice_list(world, browser, desk):
    """Three invoices selected, one customer has opted out: two go, one says why."""
    customers = world.partners(3)
    numbers = list(customers)
    moves = [world.invoice(partner) for partner in customers.values()]
    world.clerk.call(
        "res.partner",
        "wab_opt_out",
        [customers[numbers[2]]],
        purpose="billing",
        evidence="By phone",
    )
    names = {row["name"] for row in world.admin.read("account.move", moves, ["name"])}
    desk.goto(f"{world.server.url}/odoo/{INVOICES}")
    desk.locator(".o_list_view").wait_for()
    for name in names:
        line = desk.locator(".o_data_row", has_text=name)
        line.locator(".o_list_record_selector input").check()
    desk.locator(".o_cp_action_menus button", has_text="Actions").first.click()
    desk.locator(".o-dropdown-item", has_text="Send by WhatsApp").first.click()
    dialog = desk.locator(".modal")
    expect(dialog).to_contain_text("2 messages will be sent.", timeout=PATIENCE)
    expect(dialog).to_contain_text("Opted out")
    dialog.locator("button[name=action_send]").click()
    desk.locator(".o_list_view .o_data_row").first.wait_for()

    until("both arrive", lambda: world.received(numbers) == [1, 1, 0], seconds=60)
    phone = open_page(browser)
    phone.goto(f"{world.phones.url}/phone/{numbers[0].lstrip('+')}")
    expect(phone.locator("#chat .card")).to_contain_text(".pdf", timeout=PATIENCE)


def test_stop_from_the_phone_shows_on_the_contact(world, browser, desk):
    number, partner = world.partner(name="Sin Mensajes")
    world.notify([partner])
    until("it arrived", lambda: world.received([number]) == [1])
    phone = open_page(browser, viewport={"width": 1200, "height": 800})
    phone.goto(f"{world.phones.url}/phone/{number.lstrip('+')}")
    phone.locator("#stop").click()
    until(
        "opted out in Odoo",
        lambda: world.clerk.read("res.partner", [partner], ["wab_opted_out"])[0][
            "wab_opted_out"
        ],
    )
    move = world.invoice(partner)
    open_invoice(world, desk, move)
    desk.locator("button[name=action_invoice_sent]:visible").first.click()
    dialog = desk.locator(".modal")
    dialog.locator("button[name=action_send_and_print]:visible").wait_for()
    box = dialog.locator(".o-checkbox", has_text="WhatsApp").locator("input")
    if box.is_enabled() and not box.is_checked():
        box.check()
    expect(dialog).to_contain_text("no more messages", timeout=PATIENCE)
