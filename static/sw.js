"use strict";
// Before this the server puts VERSION, KEPT (the offline page and the files that it needs) and ICON.
const NAME = `microfedi-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) =>
    // Asked for without cookies: nothing of the owner's can be on what is kept.
    cache.addAll(KEPT.map((url) => new Request(url, { credentials: "omit", cache: "reload" })))));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) =>
    Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)))));
  self.clients.claim();
  if (self.registration.navigationPreload) event.waitUntil(self.registration.navigationPreload.enable());
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (request.mode === "navigate") {
    // The browser asks already while this script starts.
    event.respondWith(Promise.resolve(event.preloadResponse).then((answer) => answer || fetch(request))
      .catch(() => caches.match("/offline")));
  } else if (new URL(request.url).pathname.startsWith("/static/")) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});

// A push says that something is there; what it is stands on our pages, behind the login.
self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data ? event.data.json() : {}; } catch { said = {}; }
  event.waitUntil(self.registration.showNotification(String(said.title || "microfedi"), {
    tag: String(said.tag || "news"), renotify: true, icon: ICON, data: { url: String(said.url || "/home") },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, location.origin);
  if (url.origin !== location.origin) return;
  event.waitUntil(self.clients.matchAll({ type: "window" }).then((open) => {
    const found = open.find((one) => "navigate" in one);
    return found
      ? found.focus().then(() => found.navigate(url.href)).catch(() => self.clients.openWindow(url.href))
      : self.clients.openWindow(url.href);
  }));
});
