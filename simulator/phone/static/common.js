// Copyright 2026 The whatsapp_billing authors
// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"use strict";

/** Make an element with classes, text or children. */
function make(tag, classes, ...children) {
    const element = document.createElement(tag);
    if (classes) {
        element.className = classes;
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

function timeOf(moment) {
    return new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** Name a day as phones do: today, yesterday, weekday, date. */
function dayOf(moment, now) {
    const day = new Date(moment);
    const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);
    const days = Math.round((midnight(now) - midnight(day)) / 86400000);
    if (days === 0) {
        return "Today";
    }
    if (days === 1) {
        return "Yesterday";
    }
    const style = days > 0 && days < 7 ? { weekday: "long" } : { dateStyle: "long" };
    return day.toLocaleDateString([], style);
}

function sizeOf(bytes) {
    if (bytes < 1000) {
        return `${bytes} bytes`;
    }
    return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function initials(name) {
    const words = name.split(/\s+/).filter((word) => /\p{L}|\p{N}/u.test(word));
    return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** Give a name a colour that stays the same. */
function hueOf(name) {
    let sum = 0;
    for (const letter of name) {
        sum = (sum * 31 + letter.codePointAt(0)) % 360;
    }
    return sum;
}

function paintAvatar(element, name) {
    element.textContent = initials(name);
    element.style.setProperty("--hue", hueOf(name));
}

async function getJson(address) {
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok) {
        throw new Error(await answer.text());
    }
    return answer.json();
}

async function postJson(address, values) {
    const answer = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(values),
    });
    const result = await answer.json();
    if (!answer.ok) {
        throw new Error(result.error);
    }
    return result;
}

/** Call `refresh` at once and on every change, never twice at a time. */
function live(address, refresh) {
    let running = false;
    let again = false;
    const run = async () => {
        if (running) {
            again = true;
            return;
        }
        running = true;
        try {
            await refresh();
        } catch (error) {
            console.warn(error);
        }
        running = false;
        if (again) {
            again = false;
            setTimeout(run, 60);
        }
    };
    const source = new EventSource(address);
    source.onmessage = run;
    document.addEventListener("visibilitychange", run);
    run();
    return run;
}
