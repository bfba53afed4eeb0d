// The build inserts the names of the page's files here.
const shell = ['the shell'];
const cacheName = `sd-page-${'its version'}`;

/** Headers that allow threads, which a static server may not send. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(cacheName);
      await cache.addAll(shell.map((file) => new Request(file, { cache: 'reload' })));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith('sd-page-') && name !== cacheName);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  // The library caches the model's files itself, in pieces.
  if (url.href.startsWith(new URL('model/', self.registration.scope).href)) return;
  event.respondWith(request.mode === 'navigate' ? fromNetwork(request) : fromCache(request));
});

/** The newest page from the network, or else the cached one. */
async function fromNetwork(request) {
  try {
    return isolated(await fetch(request));
  } catch {
    return isolated(await (await caches.open(cacheName)).match('./', { ignoreVary: true }));
  }
}

/** File names contain a hash of the content, so a cached file is never outdated. */
async function fromCache(request) {
  const cache = await caches.open(cacheName);
  // Some servers send Vary: Origin, and only some of the page's requests have an Origin header.
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept !== undefined) return isolated(kept);
  const response = await fetch(request);
  if (response.status === 200) await cache.put(request, response.clone());
  return isolated(response);
}

function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(isolation)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
