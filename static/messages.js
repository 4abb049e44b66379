// Comfort while a message is written: it is kept as it is typed, and people are offered by name.
// Without it the page works the same: there is a button that keeps the draft.
(() => {
"use strict";
const SAVE_AFTER_MS = 1500;
const OFFER_AFTER_MS = 200;

// The draft saves itself: one request at a time, the newest text last, and once more on leaving.
const keep = (form) => {
  const button = form.querySelector("button[formaction$='/draft']");
  if (button) button.hidden = true;
  let timer = 0;
  let running = Promise.resolve();
  let saved = "";
  const body = () => {
    const data = new URLSearchParams();
    for (const name of ["csrf", "to", "source", "summary"]) {
      const field = form.elements[name];
      if (field) data.set(name, field.value);
    }
    return data;
  };
  const send = (leaving) => {
    clearTimeout(timer);
    const data = body();
    if (String(data) === saved || form.dataset.sent) return;
    saved = String(data);
    running = running.then(() => fetch(form.dataset.draft, {
      method: "POST", body: data, credentials: "same-origin", redirect: "error", keepalive: leaving,
    })).catch(() => { saved = ""; });  // it is tried again with the next letter
  };
  saved = String(body());
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(send, SAVE_AFTER_MS, false);
  });
  addEventListener("pagehide", () => send(true));
  document.addEventListener("visibilitychange", () => { if (document.hidden) send(true); });
};

// People whose name or address begins like the last word; the browser shows them.
const offer = (field) => {
  const list = document.createElement("datalist");
  list.id = `${field.id}-offers`;
  field.after(list);
  field.setAttribute("list", list.id);
  let timer = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    const found = /^(.*?)@?([^\s,@][^\s,]*)$/.exec(field.value);
    if (!found || found[2].includes("@")) return;
    timer = setTimeout(async () => {
      const query = new URLSearchParams({ kind: "person", q: found[2] });
      try {
        const answer = await fetch(`/complete?${query}`, { credentials: "same-origin", redirect: "error" });
        if (!answer.ok) return;
        list.replaceChildren(...(await answer.json()).map((one) => {
          const option = document.createElement("option");
          option.value = `${found[1]}${one.put}`;
          option.label = one.name;
          return option;
        }));
      } catch { /* nobody answers: nobody is offered */ }
    }, OFFER_AFTER_MS);
  });
};

for (const form of document.querySelectorAll("form[data-draft]")) keep(form);
for (const field of document.querySelectorAll("input[data-complete=person]")) offer(field);
})();
