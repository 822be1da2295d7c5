// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {Message} from "@mail/core/common/message_model";
import {fields} from "@mail/core/common/record";
import {patch} from "@web/core/utils/patch";

patch(Message.prototype, {
    setup() {
        super.setup(...arguments);
        /** The WhatsApp message that this line stands for, with its latest news. */
        this.wab_message_id = fields.Attr();
        this.wab_state = fields.Attr();
        this.wab_text = fields.Attr("");
    },
});
