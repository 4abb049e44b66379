// Comfort while a post or a message is written: a counter, drafts that save themselves, uploads
// with progress, suggestions. Everything that is sent goes through the form, as without this script.
"use strict";

(() => {
const SAVE_AFTER_MS = 2000;
const WAIT_FOR_SAVE_MS = 5000;
const SUGGEST_AFTER_MS = 120;
const STEP = 0.05; // of a focal point, for one key; with Shift four times as much

const all = (selector, root) => [...root.querySelectorAll(selector)];
const one = (selector, root) => root.querySelector(selector);
const tell = (text) => {
  const live = document.getElementById("live");
  if (live) { live.textContent = ""; requestAnimationFrame(() => { live.textContent = text || ""; }); }
};

// As Mastodon counts; microfedi/protocol/lengths.py does the same and has the last word.
const LINK = /(?<![\p{L}\p{N}_@])https?:\/\/[^\s<>"`{}|\\^[\]]*[^\s<>"`{}|\\^[\].,:;!?)'*_~]/giu;
const MENTION = /(?<![\p{L}\p{N}_@/])(@[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)@[\p{L}\p{N}][\p{L}\p{N}_.-]*[\p{L}\p{N}](?::[0-9]+)?/gu;
const counted = (text) => {
  const plain = text.replace(LINK, "x".repeat(23)).replace(MENTION, "$1");
  let number = 0;
  let joined = false;
  let halfFlag = false;
  for (const char of plain) {
    const code = char.codePointAt(0);
    if (code === 0x200d) { joined = true; continue; }
    if ((code >= 0x1f3fb && code < 0x1f400) || (code >= 0xe0020 && code < 0xe0080) || /\p{M}/u.test(char)) continue;
    const flag = code >= 0x1f1e6 && code < 0x1f200;
    if (flag && halfFlag) { halfFlag = false; continue; }
    halfFlag = flag;
    if (!joined || code < 0x2000) number += 1;
    joined = false;
  }
  return number;
};

const count = (area) => {
  const bar = one("[data-counter]", area.form);
  const show = () => {
    const left = Number(area.dataset.limit) - counted(area.value);
    bar.textContent = left.toLocaleString(document.documentElement.lang);
    bar.classList.toggle("over", left < 0);
  };
  area.addEventListener("input", show);
  show();
};

// The draft saves itself: one request at a time, the newest text last, and once more on leaving.
// Sending waits for what is under way, so that no draft outlives what was sent; and for `uploads`.
const keep = (form, url, { heard = () => {}, unheard = () => {}, uploads = () => 0 } = {}) => {
  let timer = 0;
  let running = null;
  let dirty = false;
  let sent = false;
  const body = () => {
    const data = new FormData(form);
    for (const name of ["picture", "do", "whole"]) data.delete(name);
    return data;
  };
  const save = (leaving = false) => {
    clearTimeout(timer);
    timer = 0;
    if (!dirty || sent) return Promise.resolve();
    if (running) return running.then(() => save(leaving));
    dirty = false;
    running = fetch(url, {
      method: "POST", body: body(), credentials: "same-origin", keepalive: leaving, redirect: "manual",
    }).then((answer) => heard(answer, sent)).catch(() => {
      dirty = true;
      if (!leaving) { unheard(); timer = setTimeout(save, 4 * SAVE_AFTER_MS); }
    }).finally(() => { running = null; });
    return running;
  };
  const changed = () => {
    dirty = true;
    if (!timer) timer = setTimeout(save, SAVE_AFTER_MS);
  };
  for (const name of ["input", "change"]) {
    form.addEventListener(name, (event) => { if (event.target.type !== "file") changed(); });
  }
  addEventListener("pagehide", () => save(true));
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(true); });
  addEventListener("pageshow", () => { sent = false; });

  let ready = false;
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return;
    clearTimeout(timer);
    if (ready || (!running && !uploads())) { ready = false; sent = true; return; }
    event.preventDefault();
    event.stopPropagation();
    const button = event.submitter;
    const until = Date.now() + WAIT_FOR_SAVE_MS;
    const go = () => {
      if (uploads() || (running && Date.now() < until)) { setTimeout(go, 50); return; }
      ready = true;
      form.requestSubmit(button && button.isConnected ? button : undefined);
    };
    go();
  }, true);
  return changed;
};

const compose = (form) => {
  const area = form.elements.source;
  const words = form.dataset;
  const saved = one("[data-saved]", form);
  const field = (name) => form.elements[name];

  // The text is in the language that is chosen.
  field("language").addEventListener("change", () => {
    if (field("language").value) area.lang = field("language").value; else area.removeAttribute("lang");
  });
  const at = field("at");
  if (at) at.addEventListener("input", () => form.classList.toggle("timed", Boolean(at.value)));

  let uploading = 0;
  const changed = keep(form, "/compose/draft", {
    uploads: () => uploading,
    unheard: () => { saved.textContent = words.offline; },
    heard: async (answer, sent) => {
      if (answer.type === "opaqueredirect" || answer.status === 403) { saved.textContent = words.loggedOut; return; }
      const said = await answer.json();
      saved.textContent = said.say;
      if (said.key) { field("key").value = said.key; field("version").value = said.version; }
      if (said.is_over && !sent) { // what is typed from now on is a draft of its own
        field("key").value = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
        field("version").value = 0;
      }
    },
  });

  // Files: by button, dropped or pasted; each on its own way, so that one that fails is alone.
  const list = one("[data-files]", form);
  const blank = one("template[data-file]", form);
  const picker = field("picture");
  one(".attach > summary", form).addEventListener("click", (event) => {
    if (!event.currentTarget.parentElement.open) picker.click();
  });
  const number = () => {
    const files = all(".file:not(.uploading)", list);
    files.forEach((file, index) => {
      one("legend", file).textContent = `${index + 1}`;
      one('[data-do="earlier"]', file).disabled = index === 0;
      one('[data-do="later"]', file).disabled = index === files.length - 1;
    });
    one("[data-sensitive]", form).hidden = !files.length;
  };

  const problem = (text) => {
    const said = document.createElement("p");
    said.className = "notice bad";
    said.setAttribute("role", "alert");
    said.textContent = text;
    list.after(said);
    setTimeout(() => said.remove(), 15000);
  };

  const upload = (file) => {
    const row = document.createElement("li");
    row.className = "file uploading";
    const name = document.createElement("span");
    name.textContent = words.uploading.replace("%(name)s", file.name).replace("%%", "%");
    const meter = document.createElement("progress");
    meter.max = 1;
    meter.value = 0;
    meter.setAttribute("aria-label", name.textContent);
    row.append(name, meter);
    list.append(row);
    const data = new FormData();
    data.append("csrf", field("csrf").value);
    data.append("picture", file);
    const request = new XMLHttpRequest();
    request.open("POST", "/compose/media");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) meter.value = event.loaded / event.total;
    });
    uploading += 1;
    request.addEventListener("loadend", () => {
      uploading -= 1;
      let answer = null;
      try { answer = JSON.parse(request.responseText); } catch { answer = null; }
      if (request.status === 200 && answer) add(answer, row);
      else row.remove();
      if (request.status !== 200 || !answer) problem(`${file.name}: ${(answer && answer.problem) || words.failed}`);
    });
    request.send(data);
  };

  const take = (files) => {
    const room = Number(words.most) - list.children.length;
    if (files.length > room) problem(words.tooMany);
    for (const file of [...files].slice(0, Math.max(0, room))) upload(file);
  };

  const add = (answer, row) => {
    const made = blank.content.cloneNode(true).firstElementChild;
    one('input[name="file"]', made).value = answer.name;
    for (const button of all("[data-do]", made)) button.value = `${button.dataset.do}-${answer.name}`;
    const image = one("img", made);
    if (answer.src) {
      if (answer.width) { image.width = answer.width; image.height = answer.height; }
      image.src = answer.src;
    } else image.remove();
    if (answer.kind !== "image") {
      one("svg", made).remove();
      const stay = document.createElement("input");
      stay.type = "hidden";
      stay.name = "file_focus";
      stay.value = "0,0";
      one(".stay", made).replaceWith(stay);
    }
    row.replaceWith(made);
    prepare(made);
    number();
    changed();
    const said = one("textarea", made);
    if (document.activeElement === document.body || document.activeElement === picker) said.focus();
  };

  // What stays in view: a click on the picture, or the arrow keys.
  const prepare = (file) => {
    const spot = one(".spot", file);
    const dot = one("circle", file);
    const select = one("select[name=file_focus]", file);
    if (!dot || !select) return;
    spot.tabIndex = 0;
    spot.setAttribute("role", "application");
    spot.setAttribute("aria-label", spot.dataset.label);
    const at = () => select.value.split(",").map(Number);
    const show = () => {
      const [x, y] = at();
      dot.setAttribute("cx", `${(x + 1) * 50}%`);
      dot.setAttribute("cy", `${(1 - y) * 50}%`);
    };
    const set = (x, y) => {
      const clip = (value) => Math.round(Math.max(-1, Math.min(1, value)) * 100) / 100;
      const own = one("option[data-own]", select);
      own.value = `${clip(x)},${clip(y)}`;
      own.hidden = own.disabled = false;
      own.selected = true;
      show();
      changed();
    };
    select.addEventListener("change", show);
    spot.addEventListener("click", (event) => {
      const box = one("img", spot).getBoundingClientRect();
      set(((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2);
    });
    spot.addEventListener("keydown", (event) => {
      const step = STEP * (event.shiftKey ? 4 : 1);
      const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
      if (!way) return;
      event.preventDefault();
      const [x, y] = at();
      set(x + way[0], y + way[1]);
      tell(words.moved);
    });
  };

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    event.preventDefault();
    const file = button.closest(".file");
    const what = button.dataset.do;
    const next = file.nextElementSibling;
    const before = file.previousElementSibling;
    if (what === "earlier" && before) before.before(file);
    else if (what === "later" && next) next.after(file);
    else if (what === "remove") { file.remove(); const near = next || before; (near ? one("textarea", near) : area).focus(); }
    number();
    if (what !== "remove") { const again = one(`[data-do="${what}"]`, file); (again.disabled ? one("[data-do]:not(:disabled)", file) : again).focus(); }
    changed();
  });
  for (const file of all(".file", list)) prepare(file);
  number();

  picker.addEventListener("change", () => { take(picker.files); picker.value = ""; });
  area.addEventListener("paste", (event) => {
    const files = event.clipboardData ? [...event.clipboardData.files] : [];
    if (files.length) { event.preventDefault(); take(files); }
  });
  const holdsFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  form.addEventListener("dragover", (event) => {
    if (holdsFiles(event)) { event.preventDefault(); form.classList.add("dropping"); }
  });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("dropping");
  });
  form.addEventListener("drop", (event) => {
    form.classList.remove("dropping");
    if (!holdsFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });

  suggest(area, AT_THE_END, words.offers);
};

// Suggestions for the word before the cursor, under the field; the field keeps the focus.
const AT_THE_END = /(^|[\s(])([@#:])([\p{L}\p{M}\p{N}_.@-]{1,60})$/u;
const RECIPIENT = /(^|[\s,])(@?)([\p{L}\p{M}\p{N}_.-]{1,60})$/u;
const KINDS = { "": "person", "@": "person", "#": "tag", ":": "emoji" };
const suggest = (area, pattern, offers) => {
  const menu = document.createElement("ul");
  menu.className = "suggestions";
  menu.id = `suggestions-${all(".suggestions", document).length}`;
  menu.setAttribute("role", "listbox");
  menu.setAttribute("aria-label", offers);
  menu.hidden = true;
  area.after(menu);
  area.setAttribute("aria-autocomplete", "list");
  let timer = 0;
  let asked = null;
  let at = -1;
  const close = () => {
    clearTimeout(timer);
    if (asked) asked.abort();
    menu.hidden = true;
    at = -1;
    area.removeAttribute("aria-controls");
    area.removeAttribute("aria-activedescendant");
  };
  const mark = (index) => {
    const items = [...menu.children];
    at = (index + items.length) % items.length;
    items.forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
    area.setAttribute("aria-activedescendant", items[at].id);
    items[at].scrollIntoView({ block: "nearest" });
  };
  const word = () => area.selectionStart === area.selectionEnd && pattern.exec(area.value.slice(0, area.selectionStart));
  const put = (item) => {
    const found = word();
    close();
    if (!found) return;
    const end = area.selectionStart;
    area.setRangeText(`${item.dataset.put} `, end - found[2].length - found[3].length, end, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  const show = (found) => {
    menu.replaceChildren(...found.map((each, index) => {
      const item = document.createElement("li");
      item.id = `${menu.id}-${index}`;
      item.setAttribute("role", "option");
      item.dataset.put = each.put;
      if (each.picture) {
        const image = document.createElement("img");
        image.src = each.picture;
        image.alt = "";
        item.append(image);
      }
      const name = document.createElement("b");
      name.textContent = each.name;
      item.append(name);
      if (each.more) {
        const more = document.createElement("span");
        more.textContent = each.more;
        item.append(more);
      }
      return item;
    }));
    menu.hidden = !found.length;
    if (!found.length) { close(); return; }
    area.setAttribute("aria-controls", menu.id);
    mark(0);
    tell(`${found.length}. ${offers}`);
  };
  area.addEventListener("input", () => {
    clearTimeout(timer);
    const found = word();
    if (!found || (found[2] === ":" && found[3].length < 2)) { close(); return; }
    timer = setTimeout(async () => {
      if (asked) asked.abort();
      asked = new AbortController();
      const query = new URLSearchParams({ kind: KINDS[found[2]], q: found[3] });
      try {
        const answer = await fetch(`/complete?${query}`, { credentials: "same-origin", redirect: "error", signal: asked.signal });
        if (answer.ok) show(await answer.json());
      } catch { /* another word was begun, or nobody answers: no suggestions */ }
    }, SUGGEST_AFTER_MS);
  });
  area.addEventListener("keydown", (event) => {
    if (menu.hidden || event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if (event.key === "Enter" || event.key === "Tab") put(menu.children[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li");
    event.preventDefault();
    if (item) put(item);
  });
  area.addEventListener("blur", close);
};

for (const area of all("textarea[data-limit]", document)) count(area);
for (const form of all("form[data-composer]", document)) compose(form);
for (const form of all("form[data-draft]", document)) keep(form, form.dataset.draft);
for (const field of all("input[data-recipients]", document)) suggest(field, RECIPIENT, field.dataset.recipients);
})();
