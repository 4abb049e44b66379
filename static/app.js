// Comfort that nothing depends on: without it every page works the same.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// What is said to screen readers, politely, in words that the server chose.
const live = $("#live");
const say = (text) => {
  if (live) { live.textContent = ""; requestAnimationFrame(() => { live.textContent = text || ""; }); }
};

// A page of ours, parsed but not run: scripts in it stay dead.
const load = async (url, options) => {
  const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" }, ...options });
  const type = answer.headers.get("content-type") || "";
  if (!answer.ok || !type.startsWith("text/html") || new URL(answer.url).origin !== location.origin) {
    throw new Error(String(answer.status));
  }
  return { page: new DOMParser().parseFromString(await answer.text(), "text/html"), url: answer.url };
};

// Counters of the fields beside posts (those have their own script).
for (const area of $$("textarea[data-limit]:not([data-counted])")) {
  const shown = document.createElement("span");
  shown.className = "counter";
  const count = () => { shown.textContent = String(Number(area.dataset.limit) - [...area.value].length); };
  area.addEventListener("input", count);
  count();
  const bar = area.form && $("[data-counter]", area.form);
  if (bar) bar.append(shown);
}

// Ctrl+Enter sends.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest && event.target.closest("form[data-send]");
  if (form) { event.preventDefault(); form.requestSubmit(); }
});

// An open menu closes when something else is chosen.
document.addEventListener("click", (event) => {
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// A form is sent once; what the buttons of posts ask for is done without leaving the page.
const busy = new WeakSet();

const act = async (form, button) => {
  const card = button.closest("article[id]");
  const body = new URLSearchParams(new FormData(form, button));
  const { page } = await load(button.formAction, { method: "POST", body });
  const fresh = page.getElementById(card.id);
  if (!fresh) throw new Error("gone");
  const open = $$("details", card).map((one) => one.open);
  const place = $$("button, a, summary", card).indexOf(button);
  const next = document.importNode(fresh, true);
  $$("details", next).forEach((one, index) => { one.open = Boolean(open[index]) && !one.matches(".menu"); });
  card.replaceWith(next);
  const name = button.classList[0];
  const again = (name && $(`button.${CSS.escape(name)}`, next)) || $$("button, a, summary", next)[place] || next;
  if (again === next) next.tabIndex = -1;
  again.focus({ preventScroll: true });
  say(again.getAttribute("title") || "");
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  const button = event.submitter;
  if (form.id === "act") {
    if (!button || !button.closest("article[id]") || button.closest(".sheet")) return;
    event.preventDefault();
    if (busy.has(button)) return;
    busy.add(button);
    button.setAttribute("aria-busy", "true");
    // Whatever goes wrong is left to the browser: it asks again, and shows what the server says.
    act(form, button).catch(() => {
      const plain = form.cloneNode(true);
      plain.action = button.formAction;
      for (const [name, value] of new FormData(form)) {
        if (!$(`[name="${CSS.escape(name)}"]`, plain)) {
          const field = document.createElement("input");
          Object.assign(field, { type: "hidden", name, value });
          plain.append(field);
        }
      }
      plain.removeAttribute("id");
      document.body.append(plain);
      plain.submit();
    });
    return;
  }
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of $$("form[data-sent]")) delete form.dataset.sent;
});

// Keys, as far as the owner wants them (the page of keys says which there are).
const CARDS = "article.card, article.bubble, li.card, .told";
let card = null;
let chord = "";

const walk = (step) => {
  const all = $$(CARDS, $("#main")).filter((one) => one.offsetParent && !one.parentElement.closest("article"));
  if (!all.length) return;
  let index = card && card.isConnected ? all.indexOf(card) : -1;
  if (index < 0) {
    const top = all.findIndex((one) => one.getBoundingClientRect().bottom > 80);
    index = step > 0 ? top - 1 : top;
  }
  card = all[Math.max(0, Math.min(all.length - 1, index + step))];
  if (!card.hasAttribute("tabindex")) card.tabIndex = -1;
  card.focus();
  card.scrollIntoView({ block: "nearest" });
};

const here = () => {
  const focused = document.activeElement && document.activeElement.closest(CARDS);
  if (focused) card = focused;
  return card && card.isConnected ? card : $("#focus article");
};
const press = (...selectors) => {
  const from = here();
  const found = from && selectors.map((one) => $(one, from)).find(Boolean);
  if (found) found.click();
};
const toggle = (selector) => {
  const from = here();
  if (from) for (const one of $$(selector, from)) one.open = !one.open;
};
const go = (path) => location.assign(path);
const nav = (name) => {
  const link = $(`.rail a.${name}`);
  if (link) link.click();
};

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  o: () => press("a.when", "a[href]"),
  r: () => press('a[href^="/compose?reply_to"]'),
  f: () => press("button.star"),
  l: () => press("button.star"),
  B: () => press("button.boost"),
  q: () => press('a[href^="/compose?quote"]'),
  d: () => press("button.bookmark"),
  m: () => {
    const from = here();
    const handle = from && $(".handle", from);
    if (handle) go(`/share?text=${encodeURIComponent(`${handle.textContent.trim()} `)}`);
  },
  p: () => press("a.name"),
  x: () => toggle("details.warning, details.long, details.filtered"),
  h: () => toggle("details.sensitive"),
  e: () => press(".pictures a"),
  n: () => go("/compose"),
  c: () => go("/compose"),
  s: () => go("/search"),
  "/": () => { const field = $('#main input[type="search"]'); if (field) field.focus(); else go("/search"); },
  ".": () => { const bar = $("#fresh"); if (bar && !bar.hidden) bar.click(); },
  0: () => { scrollTo(0, 0); card = null; },
  Backspace: () => { const back = $("a.back"); if (back) back.click(); else history.back(); },
  "?": () => help(),
};
const PLACES = {
  h: () => nav("home"), n: () => nav("bell"), d: () => nav("message"), c: () => nav("message"),
  f: () => go("/favourites"), b: () => go("/bookmarks"), l: () => go("/lists"), i: () => go("/lists"),
  s: () => go("/settings"), p: () => nav("person"), u: () => nav("person"),
  r: () => go("/followers"), m: () => go("/settings/mutes"), t: () => go("/hashtags"),
};

const help = async () => {
  let dialog = $("#keys");
  if (!dialog) {
    const { page } = await load("/settings/keyboard");
    const list = $("#all-keys", page);
    if (!list) return;
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.setAttribute("aria-labelledby", "all-keys-title");
    dialog.append(document.importNode(list, true));
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
};

if ($(".rail") && document.documentElement.dataset.keys !== "off") {
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.key === "Escape") {
      const menu = $("details.menu[open]");
      if (menu) { menu.open = false; $("summary", menu).focus(); }
      chord = "";
      return;
    }
    if (target.isContentEditable || target.closest("input, textarea, select, dialog, [role=listbox]")) return;
    if (event.key === "Enter") {
      if (target.matches(CARDS)) { event.preventDefault(); KEYS.o(); }
      return;
    }
    const table = chord === "g" ? PLACES : KEYS;
    const was = chord;
    chord = !was && event.key === "g" ? "g" : "";
    if (chord) return;
    const work = Object.hasOwn(table, event.key) && table[event.key];
    if (work) { event.preventDefault(); work(); }
  });
}

// News: how much is new, never what. Nothing on the page moves by itself.
const stream = document.body.dataset.events;
if (stream && "EventSource" in window) {
  const title = document.title;
  let source = null;
  const badge = (name, count) => {
    const link = $(`.rail a.${name}`);
    if (!link) return;
    let shown = $(".badge", link);
    if (!count) { if (shown) shown.remove(); return; }
    if (!shown) { shown = document.createElement("span"); shown.className = "badge"; link.append(shown); }
    if (shown.firstChild && shown.firstChild.nodeType === 3) shown.firstChild.data = count > 99 ? "99+" : String(count);
    else shown.prepend(count > 99 ? "99+" : String(count));
  };
  const heard = (event) => {
    const news = JSON.parse(event.data);
    badge("message", news.messages);
    badge("bell", news.notifications);
    const waiting = news.messages + news.notifications;
    document.title = waiting ? `(${waiting}) ${title.replace(/^\(\d+\) /, "")}` : title.replace(/^\(\d+\) /, "");
    const bar = $("#fresh");
    if (bar && news.words) {
      $("span", bar).textContent = news.words;
      if (bar.hidden) { bar.hidden = false; say(news.words); }
    }
  };
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource(stream);
    source.addEventListener("news", heard);
  };
  const leave = () => { if (source) { source.close(); source = null; } };
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", listen);
  listen();
}

// An installed app shows a page of its own when there is no network.
if ("serviceWorker" in navigator && isSecureContext && $(".rail")) {
  addEventListener("load", () => { navigator.serviceWorker.register("/sw.js").catch(() => {}); });
}
