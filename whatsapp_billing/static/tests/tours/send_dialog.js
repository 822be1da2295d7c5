// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import {registry} from "@web/core/registry";

// The page of the invoice is opened by the test; each tour does one thing a clerk does.

registry.category("web_tour.tours").add("whatsapp_billing_send_dialog", {
    timeout: 60000,
    steps: () => [
        {
            content: "Open the Send dialog",
            trigger: "button[name='action_invoice_sent']:visible",
            run: "click",
        },
        {
            content: "WhatsApp is ticked because the customer has it",
            trigger: ".modal .o-checkbox:contains('WhatsApp') input:checked",
        },
        {
            content: "The phone shows what the customer will see",
            trigger: ".modal .o_whatsapp_billing_send_right:contains('INV/')",
        },
        {
            content: "E-mail is not wanted this time",
            trigger: ".modal .o-checkbox:contains('Email') input",
            run: "uncheck",
        },
        {
            content: "Send",
            trigger: ".modal button[name='action_send_and_print']:visible:enabled",
            run: "click",
        },
        {
            content: "The dialog is gone and the chatter shows the waiting message",
            trigger:
                "body:not(:has(.modal)) .o-mail-Message .o_whatsapp_billing_state_queued",
        },
        {
            content: "The smart button counts it",
            trigger: "button[name='action_wab_messages']:contains('1')",
        },
    ],
});

registry.category("web_tour.tours").add("whatsapp_billing_read_ticks", {
    timeout: 60000,
    steps: () => [
        {
            content: "The chatter line shows two blue ticks",
            trigger: ".o-mail-Message .o_whatsapp_billing_state_read",
        },
        {
            content: "So does the smart button; it opens the messages",
            trigger:
                "button[name='action_wab_messages']:has(.o_whatsapp_billing_state_read)",
            run: "click",
        },
        {
            content: "The list of messages",
            trigger: ".o_list_view .o_data_row .o_whatsapp_billing_state_read",
            run: "click",
        },
        {
            content: "The message with its text",
            trigger: ".o_form_view:contains('INV/')",
        },
    ],
});

registry.category("web_tour.tours").add("whatsapp_billing_why_not", {
    timeout: 60000,
    steps: () => [
        {
            content: "Open the page WhatsApp of the invoice",
            trigger: ".o_notebook a[name='whatsapp']",
            run: "click",
        },
        {
            content: "The message that did not go says why",
            trigger: "div[name='wab_message_ids'] .o_data_row:contains('asked for no more messages')",
        },
        {
            content: "Ask why",
            trigger: "div[name='wab_message_ids'] button[name='action_why']",
            run: "click",
        },
        {
            content: "The rules in words, the one that failed marked",
            trigger: ".modal :contains('did not ask us to stop')",
        },
    ],
});
