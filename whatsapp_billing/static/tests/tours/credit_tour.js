// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("whatsapp_billing_credits", {
    url: "/odoo/whatsapp-credits",
    timeout: 60000,
    steps: () => [
        {
            content: "The balance is shown",
            trigger: ".o_field_widget[name='available']:contains('10.00')",
        },
        {
            content: "Buy credits",
            trigger: "button[name='action_buy']",
            run: "click",
        },
        {
            content: "Think better of it",
            trigger: ".modal .o_field_widget[name='quantity'] input",
            run: "edit 50",
        },
        {
            content: "Nothing is kept of it",
            trigger: ".modal button[special='cancel']",
            run: "click",
        },
        {
            content: "Buy credits after all",
            trigger: "body:not(:has(.modal)) button[name='action_buy']",
            run: "click",
        },
        {
            content: "Say how many",
            trigger: ".modal .o_field_widget[name='quantity'] input",
            run: "edit 500",
        },
        {
            content: "Leave the field to see the total",
            trigger: ".o_field_widget[name='unit_price'] input",
            run: "click",
        },
        {
            content: "The total is calculated",
            trigger: ".o_field_widget[name='total']:contains('5.00')",
        },
        {
            content: "Make the bill",
            trigger: "button[name='action_create_bill']",
            run: "click",
        },
        {
            content: "The bill is there, in draft",
            trigger: ".o_field_widget[name='invoice_line_ids']:contains('500 credits')",
        },
    ],
});

registry.category("web_tour.tours").add("whatsapp_billing_credit_cost", {
    url: "/odoo/customer-invoices",
    timeout: 60000,
    steps: () => [
        {
            content: "Select the invoices",
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Open the actions",
            trigger: ".o_cp_action_menus .dropdown-toggle:contains('Actions')",
            run: "click",
        },
        {
            content: "Send by WhatsApp",
            trigger: ".o-dropdown-item:contains('Send by WhatsApp')",
            run: "click",
        },
        {
            content: "The composer says what it costs and what is left",
            trigger:
                ".o_dialog .o_field_widget[name='cost_html']:contains('2 credits'):contains('8 left')",
        },
        {
            content: "Close it",
            trigger: ".o_dialog button[special='cancel']",
            run: "click",
        },
        {
            content: "It is closed",
            trigger: "body:not(:has(.o_dialog))",
        },
    ],
});

registry.category("web_tour.tours").add("whatsapp_billing_credit_usage", {
    url: "/odoo/settings",
    timeout: 60000,
    steps: () => [
        {
            content: "Go to the settings of Invoicing",
            trigger: ".settings_tab .tab[data-key='account']",
            run: "click",
        },
        {
            content: "Open the report of what was used",
            trigger: "#wab_credits button:contains('credit usage')",
            run: "click",
        },
        {
            content: "See it as a table",
            trigger: ".o_switch_view.o_pivot",
            run: "click",
        },
        {
            content: "The invoice's message is charged",
            trigger: ".o_pivot:contains('Invoice'):contains('2.00')",
        },
        {
            content: "Go back to the settings",
            trigger: ".o_back_button, .breadcrumb-item a",
            run: "click",
        },
        {
            content: "Those of Invoicing again",
            trigger: ".settings_tab .tab[data-key='account']",
            run: "click",
        },
        {
            content: "Open the report of notifications",
            trigger: "#wab_credits button:contains('notifications')",
            run: "click",
        },
        {
            content: "The message and what became of it",
            trigger: ".o_pivot:contains('Invoice'):contains('Delivered')",
        },
    ],
});
