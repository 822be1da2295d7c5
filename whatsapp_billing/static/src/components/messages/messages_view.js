// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import { utils } from "@web/core/ui/ui_service";
import { registry } from "@web/core/registry";
import { SearchModel } from "@web/search/search_model";
import { kanbanView } from "@web/views/kanban/kanban_view";

/**
 * Columns by state on a desk; one list by time on a phone, where the column with the
 * failed messages would be two swipes away.
 */
export class MessageSearchModel extends SearchModel {
    async load(config) {
        const { defaultGroupBy, ...rest } = config;
        return super.load(utils.isSmall() ? rest : { ...rest, defaultGroupBy });
    }
}

registry.category("views").add("whatsapp_billing_messages", {
    ...kanbanView,
    SearchModel: MessageSearchModel,
});
