// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {
    FilterableSelectionField,
    filterableSelectionField,
} from "@web/views/fields/selection/filterable_selection_field";
import {onPatched, useExternalListener, useRef} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";

/** A short list whose choice becomes a variable where the cursor stands in the text. */
export class InsertField extends FilterableSelectionField {
    static template = "whatsapp_billing.InsertField";

    setup() {
        super.setup();
        this.root = useRef("root");
        // A text that nobody has been in has no cursor: its end is meant.
        this.place = -1;
        this.cursor = null;
        useExternalListener(window, "focusout", (ev) => {
            if (ev.target === this.textarea) {
                this.place = ev.target.selectionStart;
            }
        });
        onPatched(() => this.moveCursor());
    }

    get textarea() {
        return this.root.el
            ?.closest(".o_form_view")
            ?.querySelector(".o_field_widget[name=body] textarea");
    }

    async onChange(value) {
        const length = this.props.record.data.body?.length || 0;
        const place = this.place < 0 ? length : Math.min(this.place, length);
        await this.props.record.update({
            insert_at: place,
            [this.props.name]: value ?? false,
        });
        const added = (this.props.record.data.body?.length || 0) - length;
        // The text has its new value after the next drawing.
        this.cursor = added > 0 ? place + added : null;
        this.render();
    }

    /** Let the person go on writing behind what was inserted. */
    moveCursor() {
        const {cursor, textarea} = this;
        if (cursor === null || !textarea) {
            return;
        }
        this.cursor = null;
        // The text's own drawing may come after this one: with another value than the
        // text has it would move the cursor to the end.
        textarea.value = this.props.record.data.body;
        textarea.focus();
        textarea.setSelectionRange(cursor, cursor);
        this.place = cursor;
    }
}

export const insertField = {
    ...filterableSelectionField,
    component: InsertField,
    displayName: _t("Insert a variable"),
    supportedTypes: ["selection"],
};

registry.category("fields").add("whatsapp_billing_insert", insertField);
