// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {
    FieldSelectorField,
    fieldSelectorField,
} from "@web/views/fields/field_selector/field_selector_field";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";

/** What can be written into a message as one value, or leads to what can. */
const VALUES = new Set([
    "char",
    "text",
    "selection",
    "integer",
    "float",
    "monetary",
    "date",
    "datetime",
    "many2one",
]);

/** A field of the document, called as people call it, also while it is only read. */
export class ValueField extends FieldSelectorField {
    static template = "whatsapp_billing.ValueField";

    filter(fieldDef) {
        return super.filter(fieldDef) && VALUES.has(fieldDef.type);
    }
}

export const valueField = {
    ...fieldSelectorField,
    component: ValueField,
    displayName: _t("Field of a document"),
};

registry.category("fields").add("whatsapp_billing_value", valueField);
