// Keeps the form for a new case, and what it loads, for the time without a line.

const VERSION = new URL(self.location).searchParams.get("version");
const FILES = `files-${VERSION}`;
const FORM = "form";
const FORM_PAGE = "/cases/new";
const OFFLINE_PAGE = "/offline";
// On a bad line the kept form is better than a long wait.
const PATIENCE = 8_000;
const NEEDED = [
  "style.css", "app.js", "queue.js", "sending.js", "case_form.js", "vendor/htmx.min.js", "icons/icon.svg",
  "manifest.webmanifest",
];
const address = (name) => `/static/${VERSION}/${name}`;
const KEPT = { ignoreVary: true, ignoreSearch: true };

async function keepForm(response) {
  const found = response ?? (await fetch(FORM_PAGE, { cache: "no-store" }));
  const cache = await caches.open(FORM);
  if (found.ok && !found.redirected) await cache.put(FORM_PAGE, found);
}

async function install() {
  const cache = await caches.open(FILES);
  await cache.addAll(NEEDED.map(address));
  // Without a cookie: the page is the same for everybody.
  await cache.put(OFFLINE_PAGE, await fetch(OFFLINE_PAGE, { credentials: "omit", cache: "no-store" }));
  await self.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name !== FILES && name !== FORM) await caches.delete(name);
  }
  await self.clients.claim();
  // A kept form names the files of before.
  if (await caches.match(FORM_PAGE, KEPT)) await keepForm().catch(() => {});
}

async function file(request) {
  const name = new URL(request.url).pathname.split("/").slice(3).join("/");
  const cache = await caches.open(FILES);
  const kept = await cache.match(request.url, KEPT);
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    const current = await cache.match(address(name), KEPT);
    if (current) return current;
    throw error;
  }
}

async function page(request) {
  const { pathname } = new URL(request.url);
  const isForm = pathname === FORM_PAGE || pathname === "/";
  const kept = isForm ? await caches.match(FORM_PAGE, KEPT) : null;
  try {
    const options = kept ? { signal: AbortSignal.timeout(PATIENCE) } : {};
    const response = await fetch(request, options);
    if (pathname === FORM_PAGE) await keepForm(response.clone());
    return response;
  } catch {
    return kept ?? (await caches.match(OFFLINE_PAGE, KEPT)) ?? Response.error();
  }
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  if (event.data === "keep-form") event.waitUntil(keepForm().catch(() => {}));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(file(request));
});
