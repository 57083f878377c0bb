// Keeps the shell of the portal, so that it opens at once and says what is the matter
// when there is no network. Pages, films, pictures and answers of the API are nobody's
// business here: they are never kept.

const SHELL = "matinee-shell-1";
const OFFLINE = "/offline";
const MOST = 120;

self.addEventListener("install", (event) => {
  event.waitUntil(prepared());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(taken());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (ofShell(url)) event.respondWith(kept(request));
});

async function prepared() {
  const shell = await caches.open(SHELL);
  const answer = await fetch(OFFLINE, { credentials: "omit" });
  const text = await answer.clone().text();
  await shell.put(OFFLINE, answer);
  const parts = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)];
  await shell.addAll([...new Set(parts.map((part) => part[1].replaceAll("&amp;", "&")))]);
  await self.skipWaiting();
}

async function taken() {
  for (const name of await caches.keys()) {
    if (name.startsWith("matinee-") && name !== SHELL) await caches.delete(name);
  }
  await self.clients.claim();
}

// The address of such a file changes with what is in it.
function ofShell(url) {
  return url.pathname.startsWith("/static/") && url.searchParams.has("v");
}

async function page(request) {
  try {
    return await fetch(request);
  } catch {
    const shell = await caches.open(SHELL);
    return (await shell.match(OFFLINE)) ?? Response.error();
  }
}

async function kept(request) {
  const shell = await caches.open(SHELL);
  const found = await shell.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) {
    await shell.put(request, answer.clone());
    await trim(shell);
  }
  return answer;
}

async function trim(shell) {
  const keys = await shell.keys();
  const older = keys.filter((key) => new URL(key.url).pathname !== OFFLINE);
  await Promise.all(older.slice(0, -MOST).map((key) => shell.delete(key)));
}
