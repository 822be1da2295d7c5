// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {Component} from "@odoo/owl";

/**
 * What became of a message, as people know it from their own phone: one tick for
 * sent, two for delivered, two blue ones for read. Everything else is an icon.
 */
const ICONS = {
    queued: "fa-clock-o",
    sending: "fa-clock-o",
    held: "fa-pause-circle-o",
    failed: "fa-exclamation-circle",
    unknown: "fa-question-circle",
    canceled: "fa-ban",
    received: "fa-arrow-down",
};

const COUNTS = {sent: 1, delivered: 2, read: 2};

export class Ticks extends Component {
    static template = "whatsapp_billing.Ticks";
    static props = {
        state: {type: String},
        text: {type: String, optional: true},
    };
    static defaultProps = {text: ""};

    /** How many ticks to draw; 0 shows an icon instead. */
    get count() {
        return COUNTS[this.props.state] || 0;
    }

    get icon() {
        return ICONS[this.props.state] || "fa-circle-o";
    }
}
