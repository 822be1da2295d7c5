// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("whatsapp_billing_collection_plan", {
    timeout: 60000,
    steps: () => [
        {
            content: "Start a plan",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "Name it",
            trigger: ".o_field_widget[name=name] textarea",
            run: "edit Toured plan",
        },
        {
            content: "It says what is missing",
            trigger: ".alert-warning:contains('Add a step')",
        },
        {
            content: "Add a step",
            trigger: ".o_whatsapp_billing_plan_line .o-kanban-button-new",
            run: "click",
        },
        {
            content: "One day after the due date",
            trigger: ".modal .o_field_widget[name=day_count] input",
            run: "edit 1",
        },
        {
            content: "The text is there",
            trigger: ".modal .o_field_widget[name=text]:contains('INV/1')",
        },
        {
            content: "Keep it",
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            content: "The card of the step",
            trigger:
                "body:not(:has(.modal)) .o_whatsapp_billing_plan_when:contains('1 day after')",
        },
        {
            content: "Save the plan",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Ask who would be reached today",
            trigger: ".o_form_view button[name=action_count_reached]",
            run: "click",
        },
        {
            content: "The card says it; look at 30 days",
            trigger:
                ".o_form_view:has(.o_whatsapp_billing_plan_line footer:contains('1 person would be reached today')) button[name=action_preview]",
            run: "click",
        },
        {
            content: "The list shows the customer",
            trigger: ".o_list_view .o_data_row:contains('Ana Perez')",
        },
        {
            content: "The one who is left out, with the reason",
            trigger:
                ".o_data_row:contains('Otto Off'):contains('WhatsApp is switched off')",
        },
        {
            content: "As a calendar",
            trigger: ".o_switch_view.o_calendar",
            run: "click",
        },
        {
            content: "The calendar shows the customer",
            trigger: ".o_calendar_view .fc-event:contains('Ana Perez')",
        },
        {
            content: "Back to the plan",
            trigger: ".o_breadcrumb a:contains('Toured plan'), .o_back_button",
            run: "click",
        },
        {
            content: "Switch it on",
            trigger: ".o_form_statusbar button[name=action_switch]",
            run: "click",
        },
        {
            content: "It proposes the dry run; everybody instead",
            trigger:
                ".modal:has(input[data-value=dry_run]:checked) input[data-value=on]",
            run: "click",
        },
        {
            content: "Go",
            trigger: ".modal button[name=action_switch_on]",
            run: "click",
        },
        {
            content: "It is on; run it now",
            trigger:
                "body:not(:has(.modal)) .o_form_statusbar button[name=action_run_now]",
            run: "click",
        },
        {
            content: "It says what came of it",
            trigger: ".o_notification:contains('1 message queued')",
        },
    ],
});

registry.category("web_tour.tours").add("whatsapp_billing_collection_case", {
    timeout: 60000,
    steps: () => [
        {
            content: "The board shows the case to remind of",
            trigger:
                ".o_kanban_group:contains('To remind') .o_kanban_record:contains('Ana Perez')",
        },
        {
            content: "Why was nothing sent?",
            trigger: ".o_kanban_record button[name=action_why]",
            run: "click",
        },
        {
            content: "In words",
            trigger: ".modal:contains('The next step is not due yet')",
        },
        {
            content: "With the rule that failed",
            trigger: ".modal .o_whatsapp_billing_trace .text-danger",
        },
        {
            content: "Close",
            trigger: ".modal footer button:contains('Close')",
            run: "click",
        },
        {
            content: "Pause it",
            trigger:
                "body:not(:has(.modal)) .o_kanban_record button[name=action_ask_pause]",
            run: "click",
        },
        {
            content: "Say why",
            trigger: ".modal div[name=pause_note] input",
            run: "edit Waits for our credit note",
        },
        {
            content: "Until somebody resumes it",
            trigger: ".modal button[name=action_record]",
            run: "click",
        },
        {
            content: "It waits",
            trigger:
                ".o_kanban_group:contains('Waiting') .o_kanban_record:contains('Waits for our credit note')",
        },
        {
            content: "The customer promises to pay",
            trigger: ".o_kanban_record button[name=action_ask_promise]",
            run: "click",
        },
        {
            content: "Today",
            trigger: ".modal button[name=action_record]",
            run: "click",
        },
        {
            content: "It is promised",
            trigger:
                "body:not(:has(.modal)) .o_kanban_group:contains('Promised') .o_kanban_record:contains('Ana Perez')",
        },
    ],
});

registry.category("web_tour.tours").add("whatsapp_billing_remind", {
    timeout: 60000,
    steps: () => [
        {
            content: "The page WhatsApp shows the next step",
            trigger: ".o_notebook a[name='whatsapp']",
            run: "click",
        },
        {
            content: "With its date and the reason",
            trigger:
                "div[name='wab_case_ids'] .o_data_row:contains('8 days after'):contains('not due yet')",
        },
        {
            content: "Remind all the same: the actions",
            trigger: ".o_cp_action_menus .dropdown-toggle",
            run: "click",
        },
        {
            content: "Send reminder by WhatsApp",
            trigger: ".o_menu_item:contains('Send reminder by WhatsApp')",
            run: "click",
        },
        {
            content: "One message",
            trigger: ".modal:contains('1 message will be sent') button[name=action_send]",
            run: "click",
        },
        {
            content: "It is in the list of messages",
            trigger: ".o_list_view .o_data_row:contains('Ana Perez')",
        },
    ],
});
