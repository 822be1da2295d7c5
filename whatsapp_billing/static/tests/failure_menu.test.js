// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

import {click, contains, defineMailModels, start, startServer} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {getService, mockService, serverState} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineMailModels();

const ITEM = ".o-mail-NotificationItem";

/**
 * Open the messaging menu after the server has pushed failures.
 *
 * @param {{author?: number, notification?: Object}[]} failures what differs from a
 *  failure of a line that a plan or a rule wrote, which the user is to see to
 */
async function openMenu(failures) {
    const pyEnv = await startServer();
    const partnerIds = pyEnv["res.partner"].create(failures.map(() => ({name: "A"})));
    await start();
    getService("mail.store").insert({
        "mail.message": failures.map(({author}, index) => ({
            id: 500 + index,
            author_id: {id: author || serverState.odoobotId},
            message_type: "notification",
            thread: {
                id: partnerIds[index],
                model: "res.partner",
                display_name: "INV/1",
                modelName: "Contact",
            },
        })),
        "mail.notification": failures.map(({notification}, index) => ({
            id: 500 + index,
            mail_message_id: {id: 500 + index},
            notification_type: "whatsapp_billing",
            notification_status: "exception",
            wab_author_id: serverState.partnerId,
            ...notification,
        })),
    });
    await click(".o_menu_systray i[aria-label='Messages']");
    await contains(".o-mail-MessagingMenu");
}

test("a failure names its document and what became of it", async () => {
    await openMenu([{}]);
    await contains(ITEM, {count: 1});
    await contains(".o-mail-NotificationItem-name", {text: "WhatsApp Failure: Contact"});
    await contains(".o-mail-NotificationItem-text", {
        text: "A WhatsApp message about “INV/1” was not delivered",
    });
});

test("failures about one kind of document are one line with their number", async () => {
    await openMenu([{}, {}, {}]);
    await contains(ITEM, {count: 1});
    await contains(".o-mail-NotificationItem-counter", {text: "3"});
    await contains(".o-mail-NotificationItem-text", {
        text: "WhatsApp messages were not delivered",
    });
});

test("somebody else's failure, and one that went out after all, are not shown", async () => {
    await openMenu([
        {notification: {wab_author_id: serverState.partnerId + 1000}},
        {notification: {notification_status: "sent"}},
    ]);
    await contains(ITEM, {count: 0});
});

test("a failure leaves the menu when its message goes out after all", async () => {
    await openMenu([{}, {}]);
    await contains(".o-mail-NotificationItem-counter", {text: "2"});
    getService("mail.store").insert({
        "mail.notification": [{id: 500, notification_status: "ready"}],
    });
    await contains(".o-mail-NotificationItem-text", {
        text: "A WhatsApp message about “INV/1” was not delivered",
    });
    getService("mail.store").insert({
        "mail.notification": [{id: 501, notification_status: "sent"}],
    });
    await contains(ITEM, {count: 0});
});

test("several failures open the list of who is to see to them", async () => {
    await openMenu([{}, {}]);
    mockService("action", {
        doAction: (action, {additionalContext}) => expect.step([action, additionalContext]),
    });
    await click(ITEM);
    await expect.waitForSteps([
        ["whatsapp_billing.message_action_failed", {search_default_mine: 1}],
    ]);
    await contains(".o-mail-MessagingMenu", {count: 0});
});

test("an e-mail's failure stays Odoo's own", async () => {
    const ofEmail = {notification_type: "email", wab_author_id: undefined};
    await openMenu([{}, {author: serverState.partnerId, notification: ofEmail}]);
    await contains(ITEM, {count: 2});
    await contains(".o-mail-NotificationItem-name", {text: "Email Failure: Contact"});
    await contains(".o-mail-NotificationItem-name", {text: "WhatsApp Failure: Contact"});
});
