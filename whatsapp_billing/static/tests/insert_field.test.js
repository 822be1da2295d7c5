// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {queryAllTexts, queryOne} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    editSelectMenu,
    fields,
    models,
    mountView,
} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

class Template extends models.Model {
    _name = "template";

    insert_choice = fields.Selection({
        selection: [
            ["name", "Number"],
            ["amount", "Amount"],
            ["refused", "Secret"],
        ],
        // As the server does: the variable is put where the cursor stood.
        onChange(record) {
            const {insert_choice: choice, insert_at: at, body} = record;
            record.insert_choice = false;
            if (choice && choice !== "refused") {
                const count = (body.match(/{{/g) || []).length;
                record.body = `${body.slice(0, at)}{{${count + 1}}}${body.slice(at)}`;
                record.preview = `<p>${record.body} as on the phone</p>`;
            }
        },
    });
    insert_at = fields.Integer();
    usual = fields.Json();
    body = fields.Text();
    preview = fields.Html();

    _records = [
        {
            id: 1,
            body: "Hello, invoice is due.",
            usual: ["name", "refused"],
            preview: "<p>Hello</p>",
        },
    ];
}

defineMailModels();
defineModels([Template]);

const BODY = "[name=body] textarea";
const CHOICE = "[name=insert_choice] input";

async function openTemplate() {
    await mountView({
        type: "form",
        resModel: "template",
        resId: 1,
        arch: `<form>
            <field name="insert_at" invisible="1"/>
            <field name="usual" invisible="1"/>
            <field name="insert_choice" widget="whatsapp_billing_insert"
                options="{'whitelist_fname': 'usual'}"/>
            <field name="body"/>
            <field name="preview" readonly="1"/>
        </form>`,
    });
}

async function putCursor(place) {
    await contains(BODY).click();
    queryOne(BODY).setSelectionRange(place, place);
}

async function insert(label) {
    await editSelectMenu(CHOICE, {value: label});
    await animationFrame();
}

test("only what is usual for the document is offered", async () => {
    await openTemplate();
    await contains(CHOICE).click();
    expect(queryAllTexts(".o_select_menu_item")).toEqual(["Number", "Secret"]);
});

test("a variable comes where the cursor stands, and writing goes on behind it", async () => {
    await openTemplate();
    await putCursor("Hello, invoice ".length);
    await insert("Number");
    expect(BODY).toHaveValue("Hello, invoice {{1}}is due.");
    expect(BODY).toBeFocused();
    expect(queryOne(BODY).selectionStart).toBe("Hello, invoice {{1}}".length);
    expect(queryOne(BODY).selectionEnd).toBe("Hello, invoice {{1}}".length);
    await insert("Number");
    expect(BODY).toHaveValue("Hello, invoice {{1}}{{2}}is due.");
});

test("a text that nobody has been in gets it at its end", async () => {
    await openTemplate();
    await insert("Number");
    expect(BODY).toHaveValue("Hello, invoice is due.{{1}}");
});

test("a text that has become shorter than the cursor's place gets it at its end", async () => {
    await openTemplate();
    await putCursor(20);
    await contains(BODY).edit("Hi ", {confirm: "blur"});
    await insert("Number");
    expect(BODY).toHaveValue("Hi {{1}}");
});

test("the phone shows the text with what was inserted", async () => {
    await openTemplate();
    await insert("Number");
    expect("[name=preview]").toHaveText("Hello, invoice is due.{{1}} as on the phone");
});

test("what the server refuses to insert leaves text, cursor and list as they are", async () => {
    await openTemplate();
    await putCursor(5);
    await insert("Secret");
    expect(BODY).toHaveValue("Hello, invoice is due.");
    expect(BODY).not.toBeFocused();
    expect(CHOICE).toHaveValue("");
    await insert("Number");
    expect(BODY).toHaveValue("Hello{{1}}, invoice is due.");
});
