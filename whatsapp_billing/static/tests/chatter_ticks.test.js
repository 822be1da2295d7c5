// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {
    click,
    contains,
    defineMailModels,
    openFormView,
    start,
    startServer,
} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {
    getService,
    mockService,
    onRpc,
    serverState,
} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineMailModels();

const MESSAGE_ID = 77;
const LINE = ".o_whatsapp_billing_line";

/** Open a contact whose chatter has a line that went out on WhatsApp, and a plain one. */
async function openChatter(state, text) {
    const pyEnv = await startServer();
    const partnerId = pyEnv["res.partner"].create({name: "Deco Addict"});
    const [lineId, plainId] = pyEnv["mail.message"].create(
        ["Your invoice", "A plain note"].map((body) => ({
            body,
            message_type: "comment",
            model: "res.partner",
            res_id: partnerId,
        }))
    );
    await start();
    await openFormView("res.partner", partnerId);
    await contains(".o-mail-Message", {count: 2});
    await contains(LINE, {count: 0});
    // As the server tells it of lines that went out on WhatsApp.
    const line = {id: lineId, wab_message_id: MESSAGE_ID, wab_state: state};
    getService("mail.store").insert({"mail.message": [{...line, wab_text: text}]});
    await contains(`.o-mail-Message:contains(Your invoice) ${LINE}`);
    await contains(LINE);
    return {
        lineId,
        plainId,
        sendNews: (...lines) =>
            pyEnv["bus.bus"]._sendone(
                serverState.partnerId,
                "whatsapp_billing.ticks",
                lines.map(([id, wab_state, wab_text]) => ({
                    id,
                    wab_message_id: MESSAGE_ID,
                    wab_state,
                    wab_text,
                }))
            ),
    };
}

test("news from the bus moves the ticks of the line that they are about", async () => {
    const {lineId, sendNews} = await openChatter("queued", "Queued");
    await contains(`${LINE} .fa-clock-o`);
    for (const [state, text, ticks] of [
        ["sent", "Sent", 1],
        ["delivered", "Delivered", 2],
        ["read", "Read", 2],
    ]) {
        await sendNews([lineId, state, text]);
        await contains(`${LINE} [aria-label='${text}'] path`, {count: ticks});
        await contains(`${LINE} button`, {text});
    }
    await contains(LINE);
    await contains(`${LINE} .text-danger`, {count: 0});
});

test("news of a line that no screen shows adds nothing and stops nothing", async () => {
    const {lineId, sendNews} = await openChatter("sent", "Sent");
    const unseenId = lineId + 1000;
    await sendNews([unseenId, "failed", "Failed"], [lineId, "read", "Read"]);
    await contains(`${LINE} button`, {text: "Read"});
    expect(getService("mail.store")["mail.message"].get(unseenId)).toBe(undefined);
});

test("a line without ticks gets them with its first news", async () => {
    const {plainId, sendNews} = await openChatter("sent", "Sent");
    await sendNews([plainId, "sending", "Sending"]);
    await contains(LINE, {count: 2});
    await contains(`.o-mail-Message:contains(A plain note) ${LINE} button`, {
        text: "Sending",
    });
});

test("a failure says why, in red", async () => {
    const {lineId, sendNews} = await openChatter("sent", "Sent");
    const text = "Failed: the number is not on WhatsApp";
    await sendNews([lineId, "failed", text]);
    await contains(`${LINE} .text-danger`, {text});
    await contains(`${LINE} .fa-exclamation-circle`);
});

test("what a customer wrote has no reasons why it was sent", async () => {
    const {lineId, sendNews} = await openChatter("sent", "Sent");
    await contains(`${LINE} button`, {text: "Why?"});
    await sendNews([lineId, "received", "Received"]);
    await contains(`${LINE} button`, {text: "Received"});
    await contains(`${LINE} button`, {text: "Why?", count: 0});
});

/** Answer whether the user is in our group, and note what is asked and opened. */
function watch(isInGroup) {
    onRpc("res.users", "has_group", ({args}) => {
        expect.step(args.at(-1));
        return isInGroup;
    });
    onRpc("whatsapp.billing.message", "*", ({method, args}) => {
        expect.step([method, ...args]);
        return {res_model: "reasons"};
    });
}

const noteWhatIsOpened = () =>
    mockService("action", {
        doAction: ({res_model, res_id}) => expect.step([res_model, res_id]),
    });

test("ticks open the message, and Why? its reasons", async () => {
    watch(true);
    await openChatter("sent", "Sent");
    noteWhatIsOpened();
    await click(`${LINE} button`, {text: "Sent"});
    await expect.waitForSteps([
        "whatsapp_billing.group_user",
        ["whatsapp.billing.message", MESSAGE_ID],
    ]);
    await click(`${LINE} button`, {text: "Why?"});
    // Which groups somebody is in is asked once.
    await expect.waitForSteps([
        ["action_why", [MESSAGE_ID]],
        ["reasons", undefined],
    ]);
});

test("who may not read messages is shown nothing more", async () => {
    watch(false);
    await openChatter("failed", "Failed: blocked");
    noteWhatIsOpened();
    await click(`${LINE} button`, {text: "Failed: blocked"});
    await click(`${LINE} button`, {text: "Why?"});
    await expect.waitForSteps(["whatsapp_billing.group_user"]);
});
