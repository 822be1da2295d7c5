// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"use strict";

const byId = (id) => document.getElementById(id);
const who = decodeURIComponent(location.pathname.split("/")[2]);
const view = { chosen: new URLSearchParams(location.search).get("with"), data: null, drawn: "" };

const ICONS = {
    url: "M14 4h6v6M20 4l-9 9M18 14v5H5V6h5",
    phone_number: "M6 4l3 4-2 2a12 12 0 0 0 6 6l2-2 4 3-2 3C11 20 4 13 4 6z",
    quick_reply: "M10 7L4 12l6 5v-3c5 0 8 1 10 4 0-6-4-9-10-9z",
    copy_code: "M8 8h11v11H8zM5 16V5h11",
    list: "M5 7h14M5 12h14M5 17h14",
};

function icon(path) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", "glyph");
    const line = document.createElementNS(space, "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
}

function toast(text) {
    const element = byId("toast");
    element.textContent = text;
    element.hidden = false;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => (element.hidden = true), 4000);
}

async function control(name, values) {
    try {
        return await postJson(`/_control/${name}`, values);
    } catch (error) {
        toast(error.message);
        return null;
    }
}

/** Turn WhatsApp's marks and links into elements, without ever parsing HTML. */
function formatted(text) {
    const pattern = /```([^]+?)```|\*(?=\S)([^*\n]+?)\*|_(?=\S)([^_\n]+?)_(?!\w)|~(?=\S)([^~\n]+?)~|(https?:\/\/[^\s<>"]+)/g;
    const parts = [];
    let from = 0;
    for (const match of text.matchAll(pattern)) {
        parts.push(text.slice(from, match.index));
        const tags = ["code", "b", "i", "s"];
        const index = [1, 2, 3, 4].find((number) => match[number] !== undefined);
        if (index) {
            parts.push(make(tags[index - 1], "", ...(index === 1 ? [match[1]] : formatted(match[index]))));
        } else {
            parts.push(link(match[5], match[5]));
        }
        from = match.index + match[0].length;
    }
    parts.push(text.slice(from));
    return parts;
}

function link(address, text) {
    const anchor = make("a", "", text);
    if (/^https?:/.test(address)) {
        anchor.href = address;
        anchor.target = "_blank";
        anchor.rel = "noopener";
    }
    return anchor;
}

function headerOf(message) {
    const header = message.header;
    if (!header) {
        return null;
    }
    if (header.type === "text") {
        return make("p", "title", header.text);
    }
    if (header.type === "location") {
        return make("p", "title", header.name || `${header.latitude}, ${header.longitude}`);
    }
    const address = message.has_file ? `/phone/${encodeURIComponent(who)}/file/${encodeURIComponent(message.wamid)}` : header.link;
    return header.type === "image" && address ? pictureOf(address) : cardOf(header, address);
}

function pictureOf(address) {
    const image = make("img", "picture");
    image.src = address;
    image.alt = "Picture";
    return image;
}

function cardOf(header, address) {
    const name = header.filename || (header.type === "document" ? "Untitled" : header.type);
    const kind = ((header.mime || "").split("/").pop() || name.split(".").pop() || header.type).toUpperCase().slice(0, 5);
    const details = [kind, header.size ? sizeOf(header.size) : ""].filter(Boolean).join(" · ");
    const card = address ? link("", "") : make("div");
    if (address) {
        card.href = address;
        card.target = "_blank";
        card.rel = "noopener";
    }
    card.className = "card";
    card.append(make("span", kind === "PDF" ? "sheet pdf" : "sheet", kind), make("span", "text", make("strong", "", name), make("span", "sub", details)));
    return card;
}

function buttonOf(message, button) {
    const glyph = icon(ICONS[button.type] || ICONS.quick_reply);
    let element;
    if (button.type === "url" || button.type === "phone_number") {
        element = link(button.url || "", "");
        if (button.phone_number) {
            element.href = `tel:${button.phone_number}`;
        }
        element.title = button.url || button.phone_number;
    } else {
        element = make("button");
        element.type = "button";
        element.disabled = message.tapped.includes(button.text);
        element.addEventListener("click", () => tap(message, button));
    }
    element.className = "choice";
    element.append(glyph, button.text);
    return element;
}

async function tap(message, button) {
    if (button.type === "copy_code") {
        toast(`Code copied: ${button.code}`);
        return;
    }
    await control("reply", { from: who, context: message.wamid, button: { index: button.index } });
}

function ticksOf(message) {
    if (!message.inbound) {
        return null;
    }
    const ticks = make("span", message.read_by_business ? "ticks read" : "ticks", icon("M1 13l4 4 9-10M10.500 15.500l1.500 1.500 9-10"));
    ticks.title = message.read_by_business ? "Read by the business" : "Sent";
    return ticks;
}

function bubbleOf(message) {
    message.inbound = message.direction === "in";
    const stamp = make("span", "stamp", timeOf(message.at), ticksOf(message));
    const reactions = Object.values(message.reactions).join(" ");
    const bubble = make(
        "div",
        "bubble",
        message.quote ? make("div", "quote", message.quote) : null,
        headerOf(message),
        message.body ? make("p", "body", ...formatted(message.body)) : null,
        message.footer ? make("p", "foot", message.footer) : null,
        stamp
    );
    const choices = message.buttons.map((button) => buttonOf(message, button));
    const box = make("div", "box", bubble, choices.length ? make("div", "choices", ...choices) : null);
    if (reactions) {
        box.append(make("span", "reaction", reactions));
    }
    const row = make("div", message.inbound ? "line mine" : "line", box);
    row.dataset.wamid = message.wamid;
    return row;
}

function drawChat(messages, now) {
    const chat = byId("chat");
    const nearEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 120;
    const rows = [];
    let day = "";
    for (const message of messages) {
        const name = dayOf(message.at, now);
        if (name !== day) {
            rows.push(make("div", "day", make("span", "", name)));
            day = name;
        }
        rows.push(bubbleOf(message));
    }
    if (!rows.length) {
        rows.push(make("div", "day", make("span", "", "No messages yet. Write first, or send something from Odoo.")));
    }
    chat.replaceChildren(...rows);
    if (nearEnd || !view.drawn) {
        chat.scrollTop = chat.scrollHeight;
    }
}

function chooseBusiness(data) {
    const last = data.messages[data.messages.length - 1];
    const wanted = view.chosen || (last && last.phone_uid);
    return data.businesses.find((entry) => entry.phone_uid === wanted) || data.businesses[0];
}

function drawBar(data, business) {
    byId("business").textContent = business.name;
    paintAvatar(byId("avatar"), business.name);
    byId("presence").textContent = business.display;
    const known = new Set(data.messages.map((message) => message.phone_uid));
    known.add(business.phone_uid);
    const options = data.businesses.filter((entry) => known.has(entry.phone_uid));
    const chooser = byId("switch");
    chooser.hidden = options.length < 2;
    byId("presence").hidden = options.length > 1;
    chooser.replaceChildren(
        ...options.map((entry) => {
            const option = make("option", "", `${entry.name} ${entry.display}`);
            option.value = entry.phone_uid;
            option.selected = entry === business;
            return option;
        })
    );
}

function drawPanel(data, business, messages) {
    const user = data.user;
    const name = user.username_only ? `@${user.username} (number hidden)` : user.name || user.display || user.user_id;
    byId("me").textContent = name;
    byId("role").textContent = name;
    byId("partner").textContent = business.name;
    byId("state").textContent = user.name && user.display ? `${user.display}, a customer` : "a customer";
    document.title = `${user.name || user.display || user.username} · Simulated phone`;
    for (const box of document.querySelectorAll("[data-flag]")) {
        box.checked = user[box.dataset.flag];
    }
    const blocked = user.blocks.includes(business.phone_uid);
    byId("blocked").hidden = !blocked;
    byId("compose").hidden = blocked;
    byId("block").textContent = blocked ? "Unblock" : "Block";
    byId("block").dataset.set = blocked ? "unblock" : "block";
    const quiet = user.no_marketing.includes(business.phone_uid);
    byId("marketing").textContent = quiet ? "Allow marketing" : "Stop marketing";
    byId("hint").textContent = blocked ? "You blocked this business: nothing reaches you, and nobody tells it." : hintFor(messages);
    byId("stop").hidden = blocked;
    drawTold(data.told);
}

function hintFor(messages) {
    const last = [...messages].reverse().find((message) => message.direction === "out");
    if (!last) {
        return "Write a message; it opens the 24 hours in which the business may answer freely.";
    }
    const tappable = [...messages].reverse().find((message) => message.direction === "out" && message.buttons.length);
    const left = tappable ? tappable.buttons.filter((button) => !tappable.tapped.includes(button.text)) : [];
    const names = left.map((button) => `“${button.text}”`);
    const tapping = names.length ? `Tap ${names.join(" or ")}. ` : "";
    const file = last.has_file ? "Open the file. " : "";
    return `${tapping}${file}Write back, send a file, or try one of these:`;
}

function drawTold(told) {
    byId("untold").hidden = told.length > 0;
    byId("told").replaceChildren(
        ...told.map((entry) => {
            const good = entry.http_status === 200;
            const state = good ? "accepted" : entry.error || `answered ${entry.http_status}`;
            return make(
                "li",
                good ? "good" : "bad",
                make("span", "when", timeOf(entry.at)),
                make("span", "what", entry.words),
                make("span", "verdict", state),
                entry.about ? make("span", "sub about", entry.about) : null
            );
        })
    );
}

async function refresh() {
    const data = await getJson(`/phone/${encodeURIComponent(who)}/data`);
    view.data = data;
    const business = chooseBusiness(data);
    view.business = business.phone_uid;
    const messages = data.messages.filter((message) => message.phone_uid === business.phone_uid);
    drawBar(data, business);
    drawPanel(data, business, messages);
    const print = JSON.stringify(messages);
    if (print !== view.drawn) {
        drawChat(messages, data.now);
        view.drawn = print;
    }
    const unread = messages.some((message) => message.status === "delivered");
    if (unread && data.user.receipts && document.visibilityState === "visible") {
        await fetch(`/phone/${encodeURIComponent(who)}/read?with=${business.phone_uid}`, { method: "POST" });
    }
}

function asBase64(file) {
    return new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1] || "");
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(file);
    });
}

const SETTERS = {
    block: (phone_uid) => ({ blocked: true, phone_uid }),
    unblock: (phone_uid) => ({ blocked: false, phone_uid }),
    marketing: (phone_uid) => ({ marketing: view.data.user.no_marketing.includes(phone_uid), phone_uid }),
};

function listen() {
    byId("compose").addEventListener("submit", async (event) => {
        event.preventDefault();
        const text = byId("text").value.trim();
        if (text) {
            byId("text").value = "";
            await control("reply", { from: who, to: view.business, text });
        }
    });
    byId("file").addEventListener("change", async (event) => {
        const file = event.target.files[0];
        event.target.value = "";
        if (file) {
            const media = { base64: await asBase64(file), filename: file.name, mime: file.type || "application/pdf" };
            await control("reply", { from: who, to: view.business, media });
        }
    });
    byId("switch").addEventListener("change", (event) => {
        view.chosen = event.target.value;
        view.drawn = "";
        refresh();
    });
    byId("info").addEventListener("click", () => document.body.classList.add("show-panel"));
    byId("close").addEventListener("click", () => document.body.classList.remove("show-panel"));
    document.addEventListener("click", (event) => {
        const { say, set } = event.target.dataset;
        if (say) {
            control("reply", { from: who, to: view.business, text: say });
        } else if (set) {
            control("user", { ...me(), ...SETTERS[set](view.business) });
        }
    });
    document.addEventListener("change", (event) => {
        const flag = event.target.dataset.flag;
        if (flag) {
            control("user", { ...me(), [flag]: event.target.checked });
        }
    });
}

function me() {
    return { user_id: view.data.user.user_id };
}

listen();
live(`/phone/${encodeURIComponent(who)}/events`, refresh);
