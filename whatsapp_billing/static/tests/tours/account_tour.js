/* Copyright 2026 The whatsapp_billing authors
 * License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0) */
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("whatsapp_billing_connect", {
    timeout: 60000,
    steps: () => [
        {
            content: "start a new account",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "name it",
            trigger: ".o_field_widget[name=name] input",
            run: "edit By hand",
        },
        {
            trigger: ".o_field_widget[name=waba_uid] input",
            run: "edit 200000000000001",
        },
        {
            trigger: ".o_field_widget[name=app_uid] input",
            run: "edit 100000000000009",
        },
        {
            content: "type the token, which nobody sees",
            trigger: ".o_field_widget[name=access_token] input[type=password]",
            run: "edit typed-token",
        },
        {
            trigger: ".o_field_widget[name=app_secret] input[type=password]",
            run: "edit typed-secret",
        },
        {
            content: "connect",
            trigger: ".o_form_statusbar button[name=action_connect]",
            run: "click",
        },
        {
            content: "it says so",
            trigger: ".o_notification:contains(Connected)",
        },
        {
            content: "the token is gone from the screen",
            trigger:
                ".o_field_widget[name=access_token] input[type=password]:placeholder-shown",
        },
        {
            content: "the check list turned green",
            trigger:
                ".o_whatsapp_billing_checklist li[data-key=number] .text-success",
        },
        {
            content: "look at the templates",
            trigger: "button[name]:contains(Templates)",
            run: "click",
        },
        {
            content: "the ready ones are there: open one",
            trigger: ".o_data_row td[name=name]:contains(Invoice)",
            run: "click",
        },
        {
            content: "with the phone beside it",
            trigger: ".o_whatsapp_billing_phone:contains(View and pay)",
        },
        {
            content: "its variables by what they mean",
            trigger: ".o_field_widget[name=body_chips] .o_whatsapp_billing_chip",
        },
        {
            content: "write in it: there are the braces",
            trigger: ".o_field_widget[name=body] textarea:value({{1}})",
        },
        {
            content: "a mouse reaches the list: the text does not lie over it",
            trigger: ".o_field_widget[name=insert_choice] input",
            run() {
                this.anchor.scrollIntoView({block: "center"});
                const box = this.anchor.getBoundingClientRect();
                const hit = document.elementFromPoint(
                    box.x + box.width / 2,
                    box.y + box.height / 2
                );
                if (hit !== this.anchor) {
                    throw new Error(`${hit.outerHTML.slice(0, 200)} lies over it`);
                }
            },
        },
        {
            content: "stand behind a word",
            trigger: ".o_field_widget[name=body] textarea",
            run() {
                const place = this.anchor.value.indexOf("The PDF") + "The PDF".length;
                this.anchor.focus();
                this.anchor.setSelectionRange(place, place);
            },
        },
        {
            content: "choose what to insert, in the words of the document",
            trigger: ".o_field_widget[name=insert_choice] input",
            run: "click",
        },
        {
            content: "nothing of a payment is offered for an invoice",
            trigger: ".o_select_menu_menu:not(:contains(Amount paid))",
        },
        {
            trigger: ".o_select_menu_item:contains(Reference to pay with)",
            run: "click",
        },
        {
            content: "it stands there, and one goes on writing behind it",
            trigger:
                ".o_field_widget[name=body] textarea:focus:value(The PDF {{6}} is attached)",
        },
        {
            content: "its row is there",
            trigger:
                ".o_field_widget[name=variable_ids] .o_data_row:contains(Reference to pay with)",
        },
        {
            content: "submit it",
            trigger: ".o_form_statusbar button[name=action_submit]",
            run: "click",
        },
        {
            content: "it waits for approval",
            trigger:
                ".o_statusbar_status button[aria-checked=true]:contains(Waiting for approval)",
        },
    ],
});
