// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {Component} from "@odoo/owl";
import {NEWS} from "@whatsapp_billing/core/ticks_service";
import {Ticks} from "./ticks";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {useBus} from "@web/core/utils/hooks";

/**
 * A selection of message states, as ticks.
 *
 * Options: `text_field` names a field of the view that says more in the tooltip;
 * `label` also writes the state in words; `live` also listens on a message's own page,
 * where the view has `res_model` and `res_id`.
 */
export class TicksField extends Component {
    static template = "whatsapp_billing.TicksField";
    static components = {Ticks};
    static props = {
        ...standardFieldProps,
        textField: {type: String, optional: true},
        showLabel: {type: Boolean, optional: true},
        isLive: {type: Boolean, optional: true},
    };

    setup() {
        useBus(this.env.bus, NEWS, ({detail}) => this.onNews(detail));
    }

    /** Read a document again whose message has news, unless somebody is changing it. */
    async onNews({model, id}) {
        const {record} = this.props;
        const isOfMine =
            this.props.isLive &&
            record.data.res_model === model &&
            record.data.res_id?.resId === id;
        const isMine = (record.resModel === model && record.resId === id) || isOfMine;
        if (isMine && !(await record.isDirty())) {
            await record.load();
        }
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    get label() {
        const {selection} = this.props.record.fields[this.props.name];
        return Object.fromEntries(selection)[this.value] || this.value;
    }

    get tooltip() {
        const text = this.props.textField && this.props.record.data[this.props.textField];
        return text ? `${this.label}: ${text}` : this.label;
    }
}

export const ticksField = {
    component: TicksField,
    displayName: _t("WhatsApp ticks"),
    supportedTypes: ["selection"],
    supportedOptions: [
        {label: _t("Text in the tooltip"), name: "text_field", type: "field"},
        {label: _t("State in words"), name: "label", type: "boolean"},
        {label: _t("Read again when there is news"), name: "live", type: "boolean"},
    ],
    extractProps: ({options}) => ({
        textField: options.text_field,
        showLabel: Boolean(options.label),
        isLive: Boolean(options.live),
    }),
};

registry.category("fields").add("whatsapp_billing_ticks", ticksField);
