// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {debounce} from "@web/core/utils/timing";
import {reactive} from "@odoo/owl";
import {registry} from "@web/core/registry";

const APP = "whatsapp_billing.menu_root";
const MOST = 99;

/**
 * Counts beside the menus of messages that wait for a person.
 *
 * Only people who look at WhatsApp ask for them: after each step that they take there,
 * and when the server says that there is something new.
 */
export const waitingService = {
    dependencies: ["bus_service", "menu", "orm"],
    start(env, {bus_service: bus, menu, orm}) {
        const waiting = reactive({
            counts: {},
            /** The text beside a menu, with what hangs under it; "" for nothing. */
            of(item) {
                // Of `this`, not of the service: whoever draws a badge is drawn again
                // when what it shows has changed.
                const total = (one) =>
                    (this.counts[one.xmlid] || 0) +
                    (one.childrenTree || []).reduce((sum, child) => sum + total(child), 0);
                const count = total(item);
                return count > MOST ? `${MOST}+` : count ? String(count) : "";
            },
        });
        const load = debounce(async () => {
            if (menu.getCurrentApp()?.xmlid !== APP) {
                return;
            }
            waiting.counts = await orm.silent.call(
                "whatsapp.billing.message",
                "get_waiting_counts",
                []
            );
        }, 300);
        env.bus.addEventListener("ACTION_MANAGER:UI-UPDATED", load);
        env.bus.addEventListener("MENUS:APP-CHANGED", load);
        bus.subscribe("whatsapp_billing.waiting", load);
        return waiting;
    },
};

registry.category("services").add("whatsapp_billing.waiting", waitingService);
