// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"use strict";

const byId = (id) => document.getElementById(id);

function userRow(user) {
    const title = user.name || user.display || user.username || user.user_id;
    const avatar = make("span", "avatar");
    paintAvatar(avatar, user.name || user.username || title.slice(-2));
    const link = make(
        "a",
        "",
        avatar,
        make(
            "span",
            "text",
            make("strong", "", title, user.name && user.display && !user.username_only ? make("span", "number", user.display) : null),
            make("span", "sub", user.last ? `${user.last_inbound ? "You: " : ""}${user.last}` : "Nothing received yet")
        ),
        make(
            "span",
            "side",
            make("span", "muted", user.last_at ? timeOf(user.last_at) : ""),
            user.unread ? make("span", "unread", String(user.unread)) : null
        )
    );
    link.href = `/phone/${user.username_only || !user.wa_id ? user.user_id : user.wa_id}`;
    return make("li", "", link);
}

function businessRow(business) {
    const state = !business.is_verified ? "not verified" : business.is_listening ? "Odoo is listening" : "no webhook yet";
    const good = business.is_verified && business.is_listening;
    return make(
        "li",
        "",
        make("span", "text", make("strong", "", business.name), make("span", "sub", business.display)),
        make("span", good ? "badge good" : "badge", state)
    );
}

async function refresh() {
    const data = await getJson("/phone/all/data");
    byId("users").replaceChildren(...data.users.map(userRow));
    byId("businesses").replaceChildren(...data.businesses.map(businessRow));
    byId("count").textContent = data.count > data.users.length ? `${data.users.length} of ${data.count}` : "";
    byId("empty").hidden = data.users.length > 0;
}

byId("play").addEventListener("submit", (event) => {
    event.preventDefault();
    const digits = byId("number").value.replace(/\D/g, "").replace(/^00/, "");
    const problem = byId("problem");
    problem.hidden = digits.length >= 8 && digits.length <= 15;
    problem.textContent = "Write the number with its country code, for example +34 600 11 12 22.";
    if (problem.hidden) {
        location.href = `/phone/${digits}`;
    }
});
live("/phone/all/events", refresh);
