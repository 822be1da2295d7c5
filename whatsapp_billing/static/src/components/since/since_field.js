// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {formatDateTime} from "@web/core/l10n/dates";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** How long ago something was, with the moment itself in the tooltip. */
export class SinceField extends Component {
    static template = "whatsapp_billing.SinceField";
    static props = {...standardFieldProps};

    get value() {
        return this.props.record.data[this.props.name];
    }

    get since() {
        return this.value.toRelative();
    }

    get moment() {
        return formatDateTime(this.value);
    }
}

export const sinceField = {
    component: SinceField,
    displayName: _t("Time since"),
    supportedTypes: ["datetime"],
};

registry.category("fields").add("whatsapp_billing_since", sinceField);
