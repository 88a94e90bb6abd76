// Keeps the page's files, so that it opens offline, and adds the headers without which browsers
// give a page no threads. Files whose names hold their content's hash come from the cache; the
// others from the network, and from the cache where there is none.

const CACHE = "swiftseg";
const HASHED = /-[\w-]{8,}\.\w+$/;
const RUNTIME = /\/ort-[\d.]+\//;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  event.respondWith(answer(event, address));
});

async function answer(event, address) {
  const { request } = event;
  const cache = await caches.open(CACHE);
  const isLasting = HASHED.test(address.pathname) || RUNTIME.test(address.pathname);
  if (isLasting) {
    const kept = await cache.match(request);
    if (kept) return isolated(kept);
  }
  try {
    const response = await fetch(request);
    // Kept beside answering: the page compiles what has arrived while the rest is under way.
    if (response.ok) event.waitUntil(cache.put(request, response.clone()));
    return isolated(response);
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return isolated(kept);
    throw error;
  }
}

function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  const { body, status, statusText } = response;
  return new Response(body, { status, statusText, headers });
}
