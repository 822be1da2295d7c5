// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {registry} from "@web/core/registry";

/** Change the ticks in open chatters when news of a message arrives. */
export const ticksService = {
    dependencies: ["bus_service", "mail.store"],
    start(_env, {bus_service: bus, "mail.store": store}) {
        bus.subscribe("whatsapp_billing.ticks", (lines) => {
            for (const {id, ...news} of lines) {
                // A line that no screen shows is read afresh when one does.
                store["mail.message"].get(id)?.update(news);
            }
        });
    },
};

registry.category("services").add("whatsapp_billing.ticks", ticksService);
