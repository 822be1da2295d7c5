// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {SIZES, defineMailModels, patchUiSize} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {mockDate} from "@odoo/hoot-mock";
import {defineModels, fields, models, mountView} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

class Message extends models.Model {
    _name = "message";

    name = fields.Char();
    arrived = fields.Datetime();
    state = fields.Selection({
        selection: [
            ["failed", "Failed"],
            ["sent", "Sent"],
        ],
    });

    _records = [
        {id: 1, name: "first", state: "failed", arrived: "2026-03-10 11:57:00"},
        {id: 2, name: "second", state: "sent", arrived: false},
    ];
    _views = {
        kanban: `<kanban js_class="whatsapp_billing_messages" default_group_by="state">
            <templates><t t-name="card"><field name="name"/></t></templates>
        </kanban>`,
    };
}

defineMailModels();
defineModels([Message]);

test("on a desk messages stand in columns by state", async () => {
    await mountView({type: "kanban", resModel: "message"});
    expect(".o_kanban_group").toHaveCount(2);
});

test("on a phone messages are one list", async () => {
    patchUiSize({size: SIZES.SM});
    await mountView({type: "kanban", resModel: "message"});
    expect(".o_kanban_group").toHaveCount(0);
    expect(".o_kanban_record:not(.o_kanban_ghost)").toHaveCount(2);
});

test("how long ago, and in the tooltip when", async () => {
    mockDate("2026-03-10 12:00:00", +0);
    await mountView({
        type: "list",
        resModel: "message",
        arch: `<list><field name="arrived" widget="whatsapp_billing_since"/></list>`,
    });
    expect(".o_data_row:eq(0) [name=arrived]").toHaveText("3 minutes ago");
    expect(".o_data_row:eq(0) [name=arrived] span").toHaveAttribute(
        "data-tooltip",
        "03/10/2026 11:57:00"
    );
    expect(".o_data_row:eq(1) [name=arrived]").toHaveText("");
});
