// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {contains as waitUntil, defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {advanceTime, animationFrame} from "@odoo/hoot-mock";
import {
    MockServer,
    contains,
    defineMenus,
    getService,
    makeMockEnv,
    mountWithCleanup,
    onRpc,
    serverState,
} from "@web/../tests/web_test_helpers";
import {NavBar} from "@web/webclient/navbar/navbar";

describe.current.tags("desktop");
defineMailModels();

const BADGE = ".o_whatsapp_billing_waiting";

/** Show the navigation bar of our app, or another one, where `counts` wait. */
async function openNavBar(counts, app = 1) {
    defineMenus([
        {id: 1, xmlid: "whatsapp_billing.menu_root", name: "WhatsApp", children: [11, 12]},
        {id: 11, xmlid: "messages", name: "Messages", children: [111, 112], appID: 1},
        {id: 111, xmlid: "received", name: "Received", appID: 1, actionID: 1},
        {id: 112, xmlid: "failed", name: "Failed", appID: 1, actionID: 2},
        {id: 12, xmlid: "settings", name: "Settings", appID: 1, actionID: 3},
        {id: 2, xmlid: "other", name: "Other"},
    ]);
    onRpc("whatsapp.billing.message", "get_waiting_counts", () => {
        expect.step("count");
        return counts;
    });
    await makeMockEnv();
    getService("menu").setCurrentMenu(app);
    await mountWithCleanup(NavBar);
    await wait();
}

const sendNews = () =>
    MockServer.env["bus.bus"]._sendone(
        serverState.partnerId,
        "whatsapp_billing.waiting",
        {}
    );

/** Let pass what the counting waits for more news. */
async function wait() {
    await advanceTime(1000);
    await animationFrame();
}

test("a menu shows what waits below it, and its entries their own part", async () => {
    await openNavBar({received: 2, failed: 3});
    await expect.waitForSteps(["count"]);
    await waitUntil(`.o_menu_sections ${BADGE}`, {text: "5"});
    await waitUntil(`.o_menu_sections ${BADGE}`);
    await contains(".o_menu_sections button:contains(Messages)").click();
    expect(".o-dropdown--menu .dropdown-item:contains(Received)").toHaveText("Received2");
    expect(".o-dropdown--menu .dropdown-item:contains(Failed)").toHaveText("Failed3");
});

test("a hundred are many", async () => {
    await openNavBar({received: 100});
    await expect.waitForSteps(["count"]);
    await waitUntil(`.o_menu_sections ${BADGE}`, {text: "99+"});
});

test("where nothing waits there is no badge", async () => {
    await openNavBar({received: 0, failed: 0});
    await expect.waitForSteps(["count"]);
    expect(BADGE).toHaveCount(0);
});

test("many news in a moment are counted once", async () => {
    const counts = {received: 1};
    await openNavBar(counts);
    await expect.waitForSteps(["count"]);
    counts.received = 4;
    for (let news = 0; news < 5; news++) {
        sendNews();
    }
    await wait();
    await expect.waitForSteps(["count"]);
    await waitUntil(`.o_menu_sections ${BADGE}`, {text: "4"});
});

test("whoever works in another app asks nothing until they come", async () => {
    await openNavBar({received: 1}, 2);
    sendNews();
    await wait();
    expect.verifySteps([]);
    getService("menu").setCurrentMenu(1);
    await wait();
    await expect.waitForSteps(["count"]);
    await waitUntil(`.o_menu_sections ${BADGE}`, {text: "1"});
});
