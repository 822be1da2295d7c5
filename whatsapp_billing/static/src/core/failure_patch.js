// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {Failure} from "@mail/core/common/failure_model";
import {MessagingMenu} from "@mail/core/public_web/messaging_menu";
import {Notification} from "@mail/core/common/notification_model";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

const WHATSAPP = "whatsapp_billing";

patch(Notification.prototype, {
    setup() {
        super.setup(...arguments);
        const compute = this.failure?.compute;
        if (!compute) {
            return;
        }
        /**
         * Odoo shows failures to the author of the line. Of ours that may be a plan or
         * a rule, so they name who is to see to them.
         */
        this.failure.compute = function () {
            if (this.notification_type !== WHATSAPP) {
                return compute.call(this);
            }
            const thread = this.mail_message_id?.thread;
            if (!this.isFailure || this.wab_author_id !== this.store.self.id) {
                return false;
            }
            const failure = Object.values(this.store.Failure.records).find(
                (f) => f.type === WHATSAPP && f.resModel === thread?.model
            );
            return {id: failure ? failure.id : this.store.Failure.nextId.value++};
        };
    },

    get icon() {
        return this.notification_type === WHATSAPP ? "fa fa-whatsapp" : super.icon;
    },

    get failureMessage() {
        if (this.notification_type === WHATSAPP) {
            return this.mail_message_id?.wab_text || _t("Not delivered");
        }
        return super.failureMessage;
    },
});

patch(Failure.prototype, {
    get iconSrc() {
        return this.type === WHATSAPP
            ? "/whatsapp_billing/static/description/icon.png"
            : super.iconSrc;
    },

    get body() {
        if (this.type !== WHATSAPP) {
            return super.body;
        }
        if (this.notifications.length === 1 && this.lastMessage?.thread) {
            return _t("A WhatsApp message about “%(record_name)s” was not delivered", {
                record_name: this.lastMessage.thread.display_name,
            });
        }
        return _t("WhatsApp messages were not delivered");
    },
});

patch(MessagingMenu.prototype, {
    openFailureView(failure) {
        if (failure.type !== WHATSAPP) {
            return super.openFailureView(failure);
        }
        this.action.doAction("whatsapp_billing.message_action_failed", {
            additionalContext: {search_default_mine: 1},
        });
        this.dropdown.close();
    },

    getFailureNotificationName(failure) {
        if (failure.type === WHATSAPP) {
            return _t("WhatsApp Failure: %(modelName)s", {modelName: failure.modelName});
        }
        return super.getFailureNotificationName(...arguments);
    },
});
