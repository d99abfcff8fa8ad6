// The page of the tablet at a door. What visitors type and what the server says gets into the page as text and never as
// HTML. `TEXTS` stands before this: the texts by language and key.

"use strict";

(() => {
    const PATH = location.pathname.match(/^\/visit\/[^/]+/)[0];
    const ASK_EVERY = 5_000;
    const COPY_EVERY = 30_000;
    /** After so much time without a touch the page asks whether anybody is there, and after some more begins anew. */
    const IDLE = 90_000;
    const LEFT = 20_000;
    const LARGEST_SIDE = 640;
    const NAMES = { en: "English", de: "Deutsch", fr: "Français", es: "Español" };
    const COPY = `roll-call ${PATH}`;

    const part = (id) => document.getElementById(id);
    const main = part("main");
    const idle = part("idle");

    let language = "en";
    let state = null;
    let told = "";
    let online = true;
    let step = null;
    let draft = {};
    /** What is to end when a step is left: the camera. */
    let leaving = [];

    // --- small things

    function say(key, values = {}) {
        return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
    }

    /** An element. Attributes that are functions are called on that event; strings among the children are text. */
    function make(tag, attributes = {}, ...children) {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) {
            if (typeof value === "function") made.addEventListener(name, value);
            else if (value === true) made.setAttribute(name, "");
            else if (value !== false && value !== undefined) made.setAttribute(name, value);
        }
        made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
        return made;
    }

    const button = (text, click, kind = "") => make("button", { type: "button", class: kind, click }, text);

    function icon(path) {
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        svg.setAttribute("viewBox", "0 0 24 24");
        svg.setAttribute("aria-hidden", "true");
        const line = document.createElementNS(svg.namespaceURI, "path");
        line.setAttribute("d", path);
        svg.append(line);
        return svg;
    }

    const ICONS = {
        come: "M4 12h13m-5-5 5 5-5 5M20 4v16",
        leave: "M20 12H7m5-5-5 5 5 5M4 4v16",
        good: "m5 13 4.500 4.500L19.500 7",
        wait: "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0",
        warn: "M12 8v5m0 3.500v.01M12 3 2.500 20h19z",
    };

    /** A time by the clock on the wall of the location. */
    function clock(at, more = {}) {
        const wanted = { timeZone: (state ?? kept())?.time_zone, hour: "2-digit", minute: "2-digit", ...more };
        // Of a language as people here write it, where the tablet knows that.
        const here = navigator.languages?.find((code) => code.split("-")[0] === language);
        return new Intl.DateTimeFormat(here ?? language, wanted).format(new Date(at));
    }

    function id() {
        return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }

    // --- asking the server

    /** A refusal, with the code that says why; `offline` where nobody answers. */
    class Refused extends Error {
        constructor(code, body = {}) {
            super(code);
            Object.assign(this, { code, body });
        }
    }

    async function ask(path, body, headers = {}) {
        const options = { headers, cache: "no-cache", credentials: "same-origin" };
        if (body !== undefined) {
            Object.assign(options, { method: "POST", body: JSON.stringify(body) });
            options.headers = { ...headers, "Content-Type": "application/json" };
        }
        let answer;
        try {
            answer = await fetch(`${PATH}/${path}`, options);
        } catch {
            line(false);
            throw new Refused("offline");
        }
        line(true);
        const text = await answer.text();
        let said = {};
        try {
            said = text ? JSON.parse(text) : {};
        } catch {
            throw new Refused("failed");
        }
        if (answer.ok) return said;
        if (answer.status === 401) {
            localStorage.removeItem(COPY);
            if (step !== "setup") setUp(said.code);
        }
        throw new Refused(said.code ?? "failed", said);
    }

    /** What is said where something was refused. */
    function why({ code }) {
        const texts = {
            offline: "error_offline",
            rate_limited: "error_slow",
            location_closed: "error_closed",
            visitor_host_unknown: "error_gone",
            nobody_here: "error_nobody",
            badge_unknown: "error_badge",
            too_short: "error_short",
        };
        return say(texts[code] ?? "failed_text");
    }

    function line(is) {
        if (is === online) return;
        online = is;
        bottom();
    }

    async function look() {
        if (document.hidden || step === "setup") return;
        try {
            const now = await ask("state");
            const text = JSON.stringify(now);
            if (text === told) return;
            const before = state && JSON.stringify({ ...state, attention: null });
            told = text;
            if (!state) language = first(now.languages);
            state = now;
            attention();
            if (step === null || step === "failed" || (step === "start" && before !== JSON.stringify({ ...now, attention: null }))) start();
        } catch (refused) {
            if (step === null && refused.code === "offline") failed();
        }
    }

    async function copy() {
        if (document.hidden || !state || step === "setup") return;
        try {
            localStorage.setItem(COPY, JSON.stringify(await ask("roll-call")));
        } catch {
            // The copy of before stays; the line says that there is no connection.
        }
    }

    function kept() {
        try {
            return JSON.parse(localStorage.getItem(COPY));
        } catch {
            return null;
        }
    }

    const first = (languages) => languages.find((code) => TEXTS[code]) ?? "en";

    // --- the frame

    function frame() {
        document.documentElement.lang = language;
        part("place").lastElementChild.textContent = (state ?? kept())?.location ?? "";
        const all = state?.languages ?? [];
        const nav = part("languages");
        nav.hidden = all.length < 2;
        nav.setAttribute("aria-label", say("languages"));
        nav.replaceChildren(...all.map((code) => {
            const pressed = String(code === language);
            return make("button", { type: "button", lang: code, "aria-pressed": pressed, click: () => speak(code) }, NAMES[code]);
        }));
        bottom();
        attention();
    }

    function speak(code) {
        language = code;
        frame();
        steps[step]?.();
        part("languages").querySelector("[aria-pressed=true]")?.focus();
    }

    function bottom() {
        const roll = part("roll");
        roll.hidden = step === "setup" || step === "roll" || (!state && !kept());
        roll.textContent = say("roll_call");
        const copied = kept();
        const since = copied ? say("offline_copy", { time: clock(copied.at) }) : say("offline");
        part("line").textContent = online ? "" : since;
    }

    function attention() {
        const texts = {
            on_my_way: ["attention_on_my_way", "good"],
            in_five_minutes: ["attention_in_five_minutes", "wait"],
            cannot_come: ["attention_cannot_come", "warn"],
            host_gone: ["attention_host_gone", "warn"],
        };
        const fallback = state?.fallback ?? say("reception");
        const notes = (state?.attention ?? []).map(({ what, visitor_name: name, visitor_host: host }) => {
            const [key, kind] = texts[what];
            return make("p", { class: `note ${kind}` }, icon(ICONS[kind]), make("span", {}, say(key, { name, host, fallback })));
        });
        part("attention").replaceChildren(...(step === "setup" ? [] : notes));
    }

    /** Shows a step, with the focus on what is to be done first. */
    function show(name, title, ...content) {
        for (const end of leaving.splice(0)) end();
        step = name;
        document.body.dataset.step = name;
        document.title = state ? `${title} · ${state.location}` : title;
        const heading = make("h1", { id: "title", tabindex: "-1" }, title);
        main.replaceChildren(heading, ...content.flat().filter(Boolean));
        frame();
        scrollTo(0, 0);
        (main.querySelector("[data-first]") ?? heading).focus({ preventScroll: true });
    }

    const back = (to) => button(say("back"), to, "quiet back");

    // --- the steps

    function start() {
        draft = {};
        const closed = state?.is_open === false;
        const opens = state?.opens_at && clock(state.opens_at, { weekday: "long", day: "numeric", month: "long" });
        const come = make(
            "button",
            { type: "button", class: "card main", disabled: closed, click: who },
            icon(ICONS.come), make("span", {}, make("b", {}, say("come")), make("small", {}, say("come_text"))),
        );
        const go = make(
            "button",
            { type: "button", class: "card", click: leave },
            icon(ICONS.leave), make("span", {}, make("b", {}, say("leave")), make("small", {}, say("leave_text"))),
        );
        const text = closed ? say(opens ? "closed_until" : "closed", { time: opens }) : say("welcome_text");
        const welcome = say("welcome", { location: state?.location ?? "" });
        show("start", welcome, make("p", { class: closed ? "lead closed" : "lead" }, text), make("div", { class: "cards" }, come, go));
    }

    function who() {
        const list = make("ul", { id: "found" });
        const input = make("input", {
            id: "q", type: "search", autocomplete: "off", autocapitalize: "words", spellcheck: "false", enterkeyhint: "search",
            maxlength: "100", "aria-describedby": "q-hint", "data-first": true, value: draft.q ?? "",
        });
        const search = searching(input, list);
        input.addEventListener("input", search);
        input.addEventListener("keydown", (event) => {
            if (event.key === "ArrowDown") list.querySelector("button")?.focus();
            if (event.key === "Enter") search();
        });
        list.addEventListener("keydown", (event) => walk(event, list, input));
        const unknown = state.fallback && make(
            "p", { class: "or" }, button(say("unknown"), () => chosen(null, state.fallback)), make("small", {}, say("unknown_text", { fallback: state.fallback })),
        );
        show(
            "who", say("who"), make("label", { for: "q" }, say(state.departments ? "who_label" : "who_label_name")), input,
            make("p", { id: "q-hint", class: "hint" }, say("who_hint")), list, unknown, back(start),
        );
        if (input.value) search();
    }

    /** Searches a moment after the last letter, and shows nothing that an older question has brought. */
    function searching(input, list) {
        let timer;
        let asked = "";
        const nobody = (text) => list.replaceChildren(make("li", { class: "nobody" }, text));
        const search = async () => {
            const q = input.value.trim();
            draft.q = q;
            if (q === asked) return;
            asked = q;
            if ([...q].filter((c) => /[\p{L}\p{N}]/u.test(c)).length < 2) {
                list.replaceChildren();
                part("said").textContent = "";
                return;
            }
            try {
                const found = await ask(`people?q=${encodeURIComponent(q)}`);
                if (asked !== q || !list.isConnected) return;
                list.replaceChildren(...found.map(person));
                if (found.length === 0) nobody(say("found_nobody"));
                part("said").textContent = found.length ? say("found", { count: found.length }) : say("found_nobody");
            } catch (refused) {
                if (asked !== q || !list.isConnected) return;
                asked = "";
                nobody(why(refused));
                if (refused.code === "rate_limited") timer = setTimeout(search, 2_000);
            }
        };
        return (event) => {
            clearTimeout(timer);
            timer = setTimeout(search, event ? 180 : 0);
        };
    }

    const person = ({ id: host, name, department }) =>
        make("li", {}, make("button", { type: "button", click: () => chosen(host, name) }, make("b", {}, name), department && make("small", {}, department)));

    function walk(event, list, input) {
        const all = [...list.querySelectorAll("button")];
        const at = all.indexOf(document.activeElement);
        const next = { ArrowDown: all[at + 1], ArrowUp: at > 0 ? all[at - 1] : input }[event.key];
        if (!next) return;
        event.preventDefault();
        next.focus();
    }

    function chosen(host, name) {
        Object.assign(draft, { host, hostName: name });
        about();
    }

    function about() {
        const field = (name, most, wanted) => {
            const input = make("input", {
                id: name, name, maxlength: most, autocomplete: "off", autocapitalize: "words", spellcheck: "false",
                required: wanted, value: draft[name] ?? "", "data-first": name === "name", "aria-describedby": `${name}-error`,
                input: () => {
                    draft[name] = input.value;
                    input.removeAttribute("aria-invalid");
                    error.textContent = "";
                },
            });
            const error = make("p", { id: `${name}-error`, class: "error" });
            const text = { name: say("your_name"), company: say("your_company"), purpose: say("your_purpose") }[name];
            return [make("label", { for: name }, text), input, error];
        };
        const error = make("p", { id: "error", class: "error", role: "alert" });
        const send = make("button", { class: "main" }, say("sign_in"));
        const form = make(
            "form", { novalidate: true, submit: (event) => { event.preventDefault(); signIn(send, error); } },
            make("p", { class: "to" }, say("you_visit"), " ", make("b", {}, draft.hostName)),
            field("name", 100, true), state.ask_company && field("company", 100), state.ask_purpose && field("purpose", 200),
            state.photo_consent && picture(), error, send,
        );
        show("about", say("about"), form, back(who));
    }

    async function signIn(send, error) {
        const name = (draft.name ?? "").trim();
        const input = part("name");
        if (!name) {
            input.setAttribute("aria-invalid", "true");
            part("name-error").textContent = say("error_name");
            return input.focus();
        }
        const { host, company = "", purpose = "", consents = false } = draft;
        const photo = consents ? draft.photo : undefined;
        const body = { visitor_host: host, name, company: company.trim(), purpose: purpose.trim(), photo, consents };
        const text = JSON.stringify(body);
        // A request whose answer was lost is sent again with its key, so that nobody signs in twice.
        if (draft.sent !== text) Object.assign(draft, { sent: text, key: id() });
        send.disabled = true;
        error.textContent = "";
        try {
            done(await ask("visits", body, { "Idempotency-Key": draft.key }));
            look();
            copy();
        } catch (refused) {
            error.textContent = why(refused);
            send.disabled = false;
        }
    }

    function done({ badge, told: whom }) {
        draft = { badge, whom, photo: draft.photo };
        showDone();
    }

    function showDone() {
        const { badge, whom, photo } = draft;
        const texts = { visitor_host: "told_host", fallback: "told_fallback", program: "told_program", nobody: "told_nobody" };
        const fallback = state.fallback ?? say("reception");
        const host = badge.visitor_host || fallback;
        show(
            "done", say("thanks", { name: badge.name }),
            make("p", { class: "lead" }, say(texts[whom], { host, fallback })),
            make("div", { class: "badge-and" }, card(badge, photo), make("div", { class: "stack" },
                button(say("print"), () => print(), "main"), button(say("finish"), start), make("p", { class: "hint" }, say("badge_hint")))),
        );
    }

    function card(badge, photo) {
        const qr = make("img", { class: "qr", alt: say("badge_qr"), src: `data:image/svg+xml,${encodeURIComponent(badge.qr)}` });
        const face = photo && make("img", { class: "face", alt: "", src: `data:image/jpeg;base64,${photo}` });
        const when = clock(badge.at, { dateStyle: "medium", timeStyle: "short", hour: undefined, minute: undefined });
        return make(
            "article", { class: "badge", "aria-label": say("badge") },
            make("p", { class: "badge-top" }, make("span", {}, say("visitor")), make("span", {}, badge.location)),
            make("div", { class: "badge-main" }, face, make("div", {}, make("p", { class: "badge-name" }, badge.name),
                badge.company && make("p", { class: "badge-company" }, badge.company))),
            make("div", { class: "badge-foot" }, make("p", {}, badge.visitor_host && make("span", {}, say("visits")), " ", badge.visitor_host && make("b", {}, badge.visitor_host), make("small", {}, when)), qr),
        );
    }

    function leave() {
        const error = make("p", { id: "error", class: "error", role: "alert" });
        const input = make("input", {
            id: "who", autocomplete: "off", autocapitalize: "words", spellcheck: "false", maxlength: "2000", "data-first": true, "aria-describedby": "who-hint error",
        });
        const send = make("button", { class: "main" }, say("leave"));
        const list = make("ul", { id: "found" });
        const out = async (wanted) => {
            error.textContent = "";
            send.disabled = true;
            try {
                const { signed_out: left } = await ask("sign-out", wanted);
                bye(left.name);
            } catch (refused) {
                send.disabled = false;
                if (refused.code !== "which_visitor") error.textContent = why(refused);
                else choose(list, refused.body.choices, (visit) => out({ name: wanted.name, visit }));
            }
        };
        const form = make(
            "form", { novalidate: true, submit: (event) => {
                event.preventDefault();
                const text = input.value.trim();
                list.replaceChildren();
                // What a scanner types is the address that is on the badge.
                out(text.includes("prv_visit_") ? { code: text } : { name: text });
            } },
            make("label", { for: "who" }, say("leave_label")), input, make("p", { id: "who-hint", class: "hint" }, say("leave_hint")), error, send,
        );
        const scan = "BarcodeDetector" in window && navigator.mediaDevices && button(say("scan"), (event) => scanning(event.target, out));
        show("leave", say("leave_title"), form, scan && make("div", { id: "scan" }, scan), list, back(start));
    }

    function choose(list, choices, choice) {
        const rows = choices.map(({ visit, name, company, came_at: at }) => {
            const since = at && say("since_time", { time: clock(at) });
            const more = [company, since].filter(Boolean).join(" · ");
            return make("li", {}, make("button", { type: "button", click: () => choice(visit) }, make("b", {}, name), make("small", {}, more)));
        });
        list.replaceChildren(make("li", { class: "nobody" }, say("which")), ...rows);
        part("said").textContent = say("which");
        list.querySelector("button").focus();
    }

    function bye(name) {
        draft = { name };
        showBye();
        look();
        copy();
    }

    function showBye() {
        show("bye", say("bye", { name: draft.name }), make("p", { class: "lead" }, say("out_bye")), button(say("finish"), start, "main"));
    }

    async function rollCall() {
        let list = kept();
        let fresh = false;
        try {
            list = await ask("roll-call");
            localStorage.setItem(COPY, JSON.stringify(list));
            fresh = true;
        } catch (refused) {
            if (step === "setup") return;
            if (!list) return show("roll", say("roll_call"), make("p", { class: "note warn" }, why(refused)), back(start));
        }
        const at = clock(list.at, { dateStyle: "long", timeStyle: "medium", hour: undefined, minute: undefined });
        const head = ["roll_name", "your_company", "roll_host", "since"].map((key) => make("th", { scope: "col" }, say(key)));
        const rows = list.people.map((one) => make("tr", {}, make("th", { scope: "row" }, one.visitor_name),
            make("td", {}, one.company), make("td", {}, one.visitor_host), make("td", {}, one.came_at ? clock(one.came_at) : ""), make("td", { class: "tick" })));
        const table = make("table", {}, make("thead", {}, make("tr", {}, head, make("th", { class: "tick", scope: "col" }, say("roll_seen")))), make("tbody", {}, rows));
        show(
            "roll", say("roll_call"),
            make("p", { class: "count" }, make("b", {}, String(rows.length)), " ", say(rows.length === 1 ? "roll_one" : "roll_many")),
            make("p", { class: fresh ? "hint" : "note warn" }, say(fresh ? "roll_fresh" : "roll_copy", { time: at })),
            rows.length > 0 && make("div", { class: "table", tabindex: "0", role: "region", "aria-labelledby": "title" }, table),
            make("div", { class: "row" }, button(say("print"), () => print(), "main"), button(say("roll_again"), rollCall)), back(state ? start : failed),
        );
    }

    function failed() {
        show("failed", say("failed"), make("p", { class: "lead" }, say("error_offline")), button(say("again"), () => { step = null; look(); }, "main"));
    }

    // --- the camera

    /** Shows what the camera sees, until the step is left. */
    async function film(place, facing) {
        const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 } } });
        const end = () => { for (const track of stream.getTracks()) track.stop(); };
        if (!place.isConnected) {
            end();
            throw new Error("the step was left");
        }
        leaving.push(end);
        const video = make("video", { autoplay: true, playsinline: true, "aria-label": say("camera") });
        video.muted = true;
        video.srcObject = stream;
        place.replaceChildren(video);
        await video.play();
        return { video, end };
    }

    function picture() {
        const place = make("div", { class: "camera" });
        const agree = make("input", { type: "checkbox", id: "consents", checked: draft.consents ?? false, change: () => {
            draft.consents = agree.checked;
            if (!agree.checked) delete draft.photo;
            camera(place);
        } });
        queueMicrotask(() => camera(place));
        return make("fieldset", {}, make("legend", {}, say("photo")), make("p", { class: "consent" }, state.photo_consent),
            make("label", { class: "check" }, agree, make("span", {}, say("photo_agree"))), place);
    }

    function camera(place) {
        for (const end of leaving.splice(0)) end();
        if (!draft.consents) return place.replaceChildren();
        if (draft.photo) {
            const again = button(say("photo_again"), () => { delete draft.photo; camera(place); });
            return place.replaceChildren(make("img", { class: "face", alt: say("photo_yours"), src: `data:image/jpeg;base64,${draft.photo}` }), again);
        }
        const note = make("p", { class: "error", role: "alert" });
        place.replaceChildren(button(say("photo_start"), async () => {
            try {
                const { video, end } = await film(place, "user");
                place.append(button(say("photo_take"), () => {
                    draft.photo = drawn(video);
                    end();
                    camera(place);
                }, "main"));
            } catch {
                if (place.isConnected) note.textContent = say("photo_none");
            }
        }), note);
    }

    /** What is seen now, as a small JPEG in base64. */
    function drawn(video) {
        const { videoWidth: width, videoHeight: height } = video;
        const side = Math.min(width, height);
        const size = Math.min(side, LARGEST_SIDE);
        const canvas = make("canvas", { width: size, height: size });
        canvas.getContext("2d").drawImage(video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, size, size);
        return canvas.toDataURL("image/jpeg", 0.8).split(",")[1];
    }

    /** Reads the code of a badge with the camera. */
    async function scanning(pressed, out) {
        const place = pressed.parentElement;
        try {
            const { video, end } = await film(place, "environment");
            const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
            const timer = setInterval(async () => {
                const seen = await detector.detect(video).catch(() => []);
                const code = seen.map(({ rawValue }) => rawValue).find((text) => text.includes("prv_visit_"));
                if (!code || !place.isConnected) return;
                clearInterval(timer);
                end();
                out({ code });
            }, 250);
            leaving.push(() => clearInterval(timer));
        } catch {
            if (place.isConnected) place.replaceChildren(make("p", { class: "error", role: "alert" }, say("photo_none")));
        }
    }

    // --- setting up

    function setUp(code) {
        state = null;
        told = "";
        const reasons = { device_revoked: "setup_revoked", device_elsewhere: "setup_elsewhere", device_unknown: "setup_unknown" };
        const error = make("p", { id: "error", class: "error", role: "alert" });
        const input = make("input", { id: "token", autocomplete: "off", spellcheck: "false", autocapitalize: "none", "data-first": true, "aria-describedby": "token-hint error" });
        const form = make("form", { novalidate: true, submit: (event) => { event.preventDefault(); keep(input.value.trim(), error); } },
            make("label", { for: "token" }, say("setup_label")), input, make("p", { id: "token-hint", class: "hint" }, say("setup_hint")), error, make("button", { class: "main" }, say("setup_button")));
        show("setup", say("setup"), make("p", { class: "lead" }, say(reasons[code] ?? "setup_text")), form);
    }

    async function keep(token, error) {
        try {
            await ask("device", { token: token.split("#").pop() });
            step = null;
            history.replaceState(null, "", PATH);
            begin();
        } catch (refused) {
            const codes = { offline: "error_offline", device_revoked: "setup_revoked", device_elsewhere: "setup_elsewhere", device_unknown: "setup_unknown" };
            const place = error ?? (setUp(refused.code), part("error"));
            place.textContent = say(codes[refused.code] ?? "failed_text");
        }
    }

    // --- a scanner, which types what it reads

    let typed = "";

    /** A badge that is shown to the scanner while nobody has touched anything signs its visitor out. */
    function scanner(event) {
        if (step !== "start") typed = "";
        else if (event.key.length === 1) typed = `${typed}${event.key}`.slice(-2_000);
        else if (event.key === "Enter") {
            const read = typed;
            typed = "";
            if (!read.includes("prv_visit_")) return;
            event.preventDefault();
            leave();
            part("who").value = read;
            main.querySelector("form").requestSubmit();
        }
    }

    // --- nobody there

    let touched = performance.now();

    function watch() {
        const quiet = performance.now() - touched;
        // Without a connection the list is there for as long as somebody may read from it.
        const rests = !state || step === "start" || (step === "roll" && !online);
        if (rests || quiet < IDLE) {
            if (idle.open) idle.close();
            return;
        }
        if (quiet > IDLE + LEFT) {
            idle.close();
            home();
        } else if (!idle.open) {
            part("idle-title").textContent = say("idle");
            idle.querySelector("p").textContent = say("idle_text");
            idle.querySelector("button").textContent = say("idle_stay");
            idle.showModal();
        }
    }

    function home() {
        language = first(state.languages);
        start();
    }

    // --- all of it

    const steps = {
        start, who, about, leave, done: showDone, bye: showBye, roll: rollCall, failed, setup: () => setUp(),
    };

    async function begin() {
        if (navigator.serviceWorker) navigator.serviceWorker.register("/visit/worker.js").catch(() => {});
        await look();
        await copy();
    }

    part("roll").addEventListener("click", rollCall);
    idle.querySelector("button").addEventListener("click", () => idle.close());
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { touched = performance.now(); }, true);
    addEventListener("keydown", scanner, true);
    setInterval(look, ASK_EVERY);
    setInterval(copy, COPY_EVERY);
    setInterval(watch, 1_000);

    const token = location.hash.slice(1);
    language = first((navigator.languages ?? ["en"]).map((code) => code.slice(0, 2)));
    if (location.pathname === `${PATH}/setup` && token) {
        // The token is in no request and in no history.
        history.replaceState(null, "", location.pathname);
        step = "setup";
        keep(token);
    } else {
        begin();
    }
})();
