// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {Message} from "@mail/core/common/message";
import {Ticks} from "@whatsapp_billing/components/ticks/ticks";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {useService} from "@web/core/utils/hooks";
import {user} from "@web/core/user";

patch(Message, {
    components: {...Message.components, Ticks},
});

patch(Message.prototype, {
    setup() {
        super.setup(...arguments);
        this.wabAction = useService("action");
        this.wabOrm = useService("orm");
    },

    get wabTextClass() {
        return this.message.wab_state === "failed" ? "text-danger" : "text-muted";
    },

    /** Open the message as the customer sees it, with its times. */
    async onClickWabTicks() {
        if (await this.wabMayOpen()) {
            this.wabAction.doAction({
                type: "ir.actions.act_window",
                name: _t("WhatsApp Message"),
                res_model: "whatsapp.billing.message",
                res_id: this.message.wab_message_id,
                views: [[false, "form"]],
                target: "new",
            });
        }
    },

    /** Open the trace in words: why it went out, or why it did not. */
    async onClickWabWhy() {
        if (await this.wabMayOpen()) {
            this.wabAction.doAction(
                await this.wabOrm.call("whatsapp.billing.message", "action_why", [
                    [this.message.wab_message_id],
                ])
            );
        }
    },

    wabMayOpen() {
        return user.hasGroup("whatsapp_billing.group_user");
    },
});
