// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {registry} from "@web/core/registry";

/** Asked for on the environment's bus: what is known of a document is old. */
export const NEWS = "WHATSAPP_BILLING:NEWS";

/** Change the ticks in open chatters and forms when news of a message arrives. */
export const ticksService = {
    dependencies: ["bus_service", "mail.store"],
    start(env, {bus_service: bus, "mail.store": store}) {
        bus.subscribe("whatsapp_billing.ticks", (lines) => {
            for (const {id, document, ...news} of lines) {
                // A line that no screen shows is read afresh when one does.
                store["mail.message"].get(id)?.update(news);
            }
            const documents = new Map(
                lines
                    .filter((line) => line.document)
                    .map((line) => [JSON.stringify(line.document), line.document])
            );
            for (const [model, id] of documents.values()) {
                env.bus.trigger(NEWS, {model, id});
            }
        });
    },
};

registry.category("services").add("whatsapp_billing.ticks", ticksService);
