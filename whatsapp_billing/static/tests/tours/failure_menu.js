/* Copyright 2026 The whatsapp_billing authors
 * License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0) */
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("whatsapp_billing_failure_menu", {
    steps: () => [
        {
            content: "something failed: the menu counts it",
            trigger: ".o_menu_systray button:has(.o-mail-MessagingMenu-counter) i",
            run: "click",
        },
        {
            content: "it says what",
            trigger: ".o-mail-NotificationItem:contains(WhatsApp Failure)",
            run: "click",
        },
        {
            content: "the invoice opens, and is not called sent",
            trigger: ".o_form_view:not(:has(.ribbon)) .alert-danger:contains(Not delivered)",
        },
        {
            content: "its line says why",
            trigger: ".o-mail-Message-notification.text-danger .fa-whatsapp",
            run: "click",
        },
        {
            trigger: ".o-mail-MessageNotificationPopover:contains(Failed)",
        },
        {
            trigger: "button[name=action_wab_handled]",
            run: "click",
        },
        {
            content: "the invoice asks nobody any more",
            trigger: ".o_form_view:not(:has(.alert-danger))",
        },
        {
            trigger: ".o_menu_systray i[aria-label=Messages]",
            run: "click",
        },
        {
            content: "nor does the menu",
            trigger:
                ".o-mail-MessagingMenu:not(:has(.o-mail-NotificationItem:contains(WhatsApp Failure)))",
        },
    ],
});
