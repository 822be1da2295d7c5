// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {contains as waitUntil, defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {animationFrame, edit, runAllTimers} from "@odoo/hoot-dom";
import {
    MockServer,
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
    serverState,
} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

const STATES = ["queued", "sent", "delivered", "read", "failed"];

class Invoice extends models.Model {
    _name = "invoice";

    name = fields.Char();
    state = fields.Selection({
        selection: STATES.map((state) => [state, state.toUpperCase()]),
    });
    explanation = fields.Char();

    _records = [
        {id: 1, name: "INV/1", state: "sent", explanation: "at noon"},
        {id: 2, name: "INV/2", state: "failed", explanation: "blocked"},
        {id: 3, name: "INV/3", state: false},
    ];
}

class Message extends models.Model {
    _name = "message";

    state = fields.Selection({
        selection: STATES.map((state) => [state, state.toUpperCase()]),
    });
    res_model = fields.Char();
    res_id = fields.Many2oneReference({model_field: "res_model", relation: "invoice"});

    _records = [{id: 1, state: "sent", res_model: "invoice", res_id: 2}];
}

defineMailModels();
defineModels([Invoice, Message]);

const TICKS = ".o_field_widget[name=state]";

/** Change a record behind the screen's back and tell the screen's user of news. */
async function changeAndTell(model, id, values, [newsModel, newsId] = [model, id]) {
    MockServer.env[model].write([id], values);
    MockServer.env["bus.bus"]._sendone(
        serverState.partnerId,
        "whatsapp_billing.ticks",
        [
            {id: 900, wab_state: "read", document: [newsModel, newsId]},
            // Two lines of one document are one reason to read it again.
            {id: 901, wab_state: "read", document: [newsModel, newsId]},
        ]
    );
    await runAllTimers();
    await animationFrame();
}

async function openForm(model, resId, options) {
    onRpc(model, "web_read", () => expect.step("read"));
    await mountView({
        type: "form",
        resModel: model,
        resId,
        arch: `<form>
            <field name="${model === "invoice" ? "name" : "res_model"}"/>
            ${model === "invoice" ? "" : '<field name="res_id" widget="many2one_reference"/>'}
            <field name="state" widget="whatsapp_billing_ticks" options="${options}"/>
        </form>`,
    });
    await expect.waitForSteps(["read"]);
}

test("a list draws ticks, icons and words, and nothing where nothing was sent", async () => {
    await mountView({
        type: "list",
        resModel: "invoice",
        arch: `<list>
            <field name="explanation" column_invisible="1"/>
            <field name="state" widget="whatsapp_billing_ticks"
                options="{'label': true, 'text_field': 'explanation'}"/>
        </list>`,
    });
    expect(`.o_data_row:eq(0) ${TICKS} path`).toHaveCount(1);
    expect(`.o_data_row:eq(0) ${TICKS}`).toHaveText("SENT");
    expect(`.o_data_row:eq(0) [role=img]`).toHaveAttribute("aria-label", "SENT: at noon");
    expect(`.o_data_row:eq(1) ${TICKS} path`).toHaveCount(0);
    expect(`.o_data_row:eq(1) .fa-exclamation-circle`).toHaveCount(1);
    expect(`.o_data_row:eq(1) [role=img]`).toHaveAttribute("aria-label", "FAILED: blocked");
    expect(`.o_data_row:eq(2) [role=img]`).toHaveCount(0);
});

test("an open document is read again, once, when its message has news", async () => {
    await openForm("invoice", 1, "{}");
    expect(`${TICKS} path`).toHaveCount(1);
    await changeAndTell("invoice", 1, {state: "delivered"});
    await expect.waitForSteps(["read"]);
    await waitUntil(`${TICKS} path`, {count: 2});
});

test("news of another document, or another model, reads nothing", async () => {
    await openForm("invoice", 1, "{}");
    await changeAndTell("invoice", 1, {state: "read"}, ["invoice", 2]);
    await changeAndTell("invoice", 1, {state: "read"}, ["message", 1]);
    expect.verifySteps([]);
    expect(`${TICKS} path`).toHaveCount(1);
});

test("what somebody is writing is not lost to news", async () => {
    await openForm("invoice", 1, "{}");
    await contains("[name=name] input").click();
    await edit("INV/1 corrected");
    await animationFrame();
    await changeAndTell("invoice", 1, {state: "read"});
    expect.verifySteps([]);
    expect("[name=name] input").toHaveValue("INV/1 corrected");
});

test("a message's own page follows its document only when it is to", async () => {
    await openForm("message", 1, "{'live': true}");
    await changeAndTell("message", 1, {state: "read"}, ["invoice", 1]);
    expect.verifySteps([]);
    await changeAndTell("message", 1, {state: "read"}, ["invoice", 2]);
    await expect.waitForSteps(["read"]);
    await waitUntil(`${TICKS} path`, {count: 2});
});

test("a page that is not live leaves its document's news alone", async () => {
    await openForm("message", 1, "{}");
    await changeAndTell("message", 1, {state: "read"}, ["invoice", 2]);
    expect.verifySteps([]);
    expect(`${TICKS} path`).toHaveCount(1);
});
