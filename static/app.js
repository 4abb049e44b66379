// Comfort that nothing depends on: without it every page works the same.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// What is said to screen readers, politely, in words that the server chose.
const live = $("#live");
let unsaid = 0;
const say = (text, isBad = false) => {
  if (!live) return;
  live.textContent = "";
  live.className = isBad ? "toast" : "hide";
  requestAnimationFrame(() => { live.textContent = text || ""; });
  clearTimeout(unsaid);
  if (isBad) unsaid = setTimeout(() => { live.textContent = ""; }, 10_000);
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

// Ctrl+Enter sends.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest && event.target.closest("form[data-send]");
  if (form) { event.preventDefault(); form.requestSubmit(); }
});

// The tab one is on is in sight, however narrow the window.
for (const tab of $$(".tabs [aria-current]")) {
  const [own, all] = [tab.getBoundingClientRect(), tab.parentElement.getBoundingClientRect()];
  tab.parentElement.scrollLeft += Math.max(0, own.right - all.right) + Math.min(0, own.left - all.left);
}

// An open menu closes when something else is chosen.
document.addEventListener("click", (event) => {
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// What buttons ask for is done on the spot. The server shows the part anew as it would in a page of
// its own; whatever goes wrong is left to the browser, which asks again and shows what is said.
const POST = /^\/posts\/(\d+)\/(?:un)?(?:favourite|boost|bookmark|pin|vote)$/;
const PERSON = /^\/people\/(\d+)\/(?:(?:un)?follow|unmute|unblock|accept|reject|show_boosts|hide_boosts)$/;
const loadedAt = Date.now();
const busy = new WeakSet();

const swap = (old, fresh) => {
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const next = document.importNode(fresh, true);
  const places = (root) => $$("a, button, summary, input", root);
  const place = held ? places(old).indexOf(held) : -1;
  const name = held && held.classList[0];
  old.replaceWith(next);
  if (!held) return next;
  const again = (name && name !== "button" && $(`.${CSS.escape(name)}`, next)) || places(next)[place] || next;
  if (again === next) next.tabIndex = -1;
  again.focus({ preventScroll: true });
  return next;
};

const ask = async (form, button, next) => {
  const body = new FormData(form, button);
  body.set("next", next);
  const url = button.hasAttribute("formaction") ? button.formAction : form.action;
  const { page } = await load(url, { method: "POST", body: new URLSearchParams(body) });
  sessionStorage.setItem("acted", `${Date.now()} ${loadedAt}`);
  return page;
};

const actOnPost = async (form, button, id) => {
  const name = button.classList[0];
  const page = await ask(form, button, `/posts/${id}/card`);
  const fresh = page.getElementById(`n${id}`);
  if (!fresh) throw new Error("gone");
  for (const card of $$(CARDS)) {
    if (!$(`[formaction^="/posts/${id}/"]`, card)) continue;
    for (const part of [".acts", ".poll"]) {
      const [old, now] = [$(part, card), $(part, fresh)];
      if (old && now) swap(old, now);
    }
  }
  const done = name && $(`.acts > button.${CSS.escape(name)}`, fresh);
  say(done ? done.title : "");
};

const actOnPerson = async (form, button, id) => {
  const whole = form.closest("section.profile");
  const back = $("[name=next]", form);
  const page = await ask(form, button, `/people/${id}`);
  const fresh = $("section.profile", page);
  const follow = fresh && $(`form[action$="/${id}/follow"], form[action$="/${id}/unfollow"]`, fresh);
  if (!fresh || (!whole && !follow)) throw new Error("elsewhere");
  const now = swap(whole || form, whole ? fresh : follow);
  for (const one of $$("[name=next]", now)) if (back) one.value = back.value;
  say(follow ? follow.textContent.trim() : "");
};

const plainly = (form, button) => {
  const plain = document.createElement("form");
  plain.method = "post";
  plain.action = button.hasAttribute("formaction") ? button.formAction : form.action;
  plain.hidden = true;
  for (const [name, value] of new FormData(form, button)) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    plain.append(field);
  }
  document.body.append(plain);
  plain.submit();
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  const button = event.submitter;
  const path = button && new URL(button.hasAttribute("formaction") ? button.formAction : form.action).pathname;
  const post = path && POST.exec(path);
  const person = path && PERSON.exec(path);
  if (post || (person && (form.closest("section.profile") || /follow$/.test(path)))) {
    event.preventDefault();
    if (busy.has(button)) return;
    busy.add(button);
    button.setAttribute("aria-busy", "true");
    (post ? actOnPost(form, button, post[1]) : actOnPerson(form, button, person[1]))
      .catch((error) => {
        const away = error instanceof TypeError || !navigator.onLine;
        say(live && (away ? live.dataset.away : live.dataset.failed), true);
        if (!away) plainly(form, button);
      })
      .finally(() => { busy.delete(button); button.removeAttribute("aria-busy"); });
    return;
  }
  if (form.id === "act") return;
  // Any other form is sent once.
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
});
addEventListener("pageshow", (event) => {
  for (const form of $$("form[data-sent]")) delete form.dataset.sent;
  // A page that the browser kept whole is out of date if something was done on a later one.
  const [at, where] = (sessionStorage.getItem("acted") || "").split(" ").map(Number);
  if (event.persisted && at > loadedAt && where !== loadedAt) location.reload();
});

// Keys, as far as the owner wants them (the page of keys says which there are).
const CARDS = "article.card, article.bubble, li.card, .told, details.filtered:not([open]) > summary";
let card = null;
let chord = ""; // the first key of two ...
let since = 0; // ... and when it was pressed
const CHORD_MS = 2000;

const walk = (step) => {
  const all = $$(CARDS, $("#main")).filter((one) => one.checkVisibility() && !one.parentElement.closest("article"));
  if (!all.length) return;
  let index = card && card.isConnected ? all.indexOf(card) : -1;
  if (index < 0) {
    const top = all.findIndex((one) => one.getBoundingClientRect().bottom > 80);
    index = step > 0 ? top - 1 : top;
  }
  card = all[Math.max(0, Math.min(all.length - 1, index + step))];
  if (!card.hasAttribute("tabindex")) card.tabIndex = -1;
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: card.offsetHeight > innerHeight * 0.7 ? "start" : "nearest" });
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
  if (!from) return;
  if (from.matches("summary")) { from.click(); card = $("article", from.parentElement); return; }
  const all = $$(selector, from);
  const isOpen = all.some((one) => !one.open);
  for (const one of all) one.open = isOpen;
};
const go = (path) => location.assign(path);
const nav = (name) => {
  const link = $(`.rail a.${name}`);
  if (link) link.click();
};

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  o: () => {
    const from = here();
    if (from && from.matches("summary")) from.click();
    else press("a.when", "a[href]");
  },
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
  x: () => toggle("details.warning, details.long"),
  h: () => toggle("details.sensitive"),
  e: () => press(".pictures a"),
  n: () => go("/compose"),
  c: () => go("/compose"),
  s: () => go("/search"),
  "/": () => { const field = $('#main input[type="search"]'); if (field) field.focus(); else go("/search"); },
  ".": () => { const bar = $("#fresh"); if (bar && !bar.hidden) bar.click(); },
  0: () => { scrollTo(0, 0); card = null; },
  Backspace: () => { const back = $("a.back"); if (back) back.click(); else history.back(); },
  "?": () => help().catch(() => go("/settings/keyboard")),
};
const PLACES = {
  h: () => nav("home"), n: () => nav("bell"), d: () => nav("message"), c: () => nav("message"),
  f: () => go("/favourites"), b: () => go("/bookmarks"), l: () => go("/lists"), i: () => go("/lists"),
  s: () => go("/settings"), p: () => nav("person"), u: () => nav("person"),
  r: () => go("/follow-requests"), m: () => go("/settings/mutes"), t: () => go("/hashtags"),
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
  if (!dialog.open) dialog.showModal(); // which gives the focus back when it closes
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
    const was = event.timeStamp - since < CHORD_MS ? chord : "";
    chord = !was && event.key === "g" ? "g" : "";
    since = event.timeStamp;
    if (chord || (event.repeat && !"jk".includes(event.key))) return;
    const table = was ? PLACES : KEYS;
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
  // New messages come into the open conversation; what is being typed stays as it is.
  $("#fresh")?.addEventListener("click", async (event) => {
    const bar = event.currentTarget;
    const talk = $(".talk");
    if (!talk) return;
    event.preventDefault();
    try {
      const { page } = await load(bar.href);
      const now = swap(talk, $(".talk", page));
      bar.hidden = true;
      const first = $("#unread + article", now) || $("article:last-of-type", now);
      first.tabIndex = -1;
      first.focus({ preventScroll: true });
      ($("#unread", now) || first).scrollIntoView({ block: "center" });
    } catch { location.hash = bar.hash; location.reload(); }
  });
  const heard = (event) => {
    const news = JSON.parse(event.data);
    badge("message", news.messages);
    badge("bell", news.notifications);
    const waiting = news.messages + news.notifications;
    document.title = waiting ? `(${waiting}) ${title.replace(/^\(\d+\) /, "")}` : title.replace(/^\(\d+\) /, "");
    const bar = $("#fresh");
    if (!bar) return;
    const isNew = bar.hidden && news.words;
    $("span", bar).textContent = news.words;
    bar.hidden = !news.words;
    if (isNew) say(news.words);
  };
  const listen = () => {
    if (source) return;
    source = new EventSource(stream);
    source.addEventListener("news", heard);
    // The seat is needed for a newer page of ours, or the login has ended.
    source.addEventListener("end", () => source.close());
  };
  const leave = () => { if (source) { source.close(); source = null; } };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !source || source.readyState !== EventSource.CLOSED) return;
    source = null;
    listen();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", listen);
  listen();
}

// An installed app shows a page of its own when there is no network.
if ("serviceWorker" in navigator && isSecureContext && $(".rail")) {
  addEventListener("load", () => { navigator.serviceWorker.register("/sw.js").catch(() => {}); });
}

// Pushes: the browser says where it is reached, and a plain form of the page tells the server.
const pushing = $("form[data-push]");
const canPush = "serviceWorker" in navigator && "PushManager" in window;
if (pushing && pushing.dataset.push === "on" && !canPush) {
  pushing.hidden = true;
  $("[data-push=cannot]").classList.remove("unscripted");
}
if (pushing && canPush) {
  const subscription = async () => (await navigator.serviceWorker.ready).pushManager.getSubscription();
  const why = (name) => { for (const one of $$("[data-why]", pushing)) one.hidden = one.dataset.why !== name; };
  pushing.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    why("");
    try {
      const old = await subscription();
      if (old) await old.unsubscribe();
      if (pushing.dataset.push === "on") {
        if ((await Notification.requestPermission()) !== "granted") { why("denied"); return; }
        const { pushManager } = await navigator.serviceWorker.ready;
        const made = (await pushManager.subscribe({
          userVisibleOnly: true, applicationServerKey: pushing.dataset.key,
        })).toJSON();
        const fields = { endpoint: made.endpoint, p256dh: made.keys.p256dh, auth: made.keys.auth };
        for (const [name, value] of Object.entries(fields)) pushing.elements[name].value = value;
      }
      pushing.submit();
    } catch { why("failed"); }
  });
}
