/** The longest wait for the service worker, in milliseconds: the page also works without it. */
const patience = 3000;

/**
 * Registers the service worker, which caches the page for use without a network. Waits until it sees the page's requests,
 * so that it also caches ONNX Runtime, which the worker loads.
 */
export async function keepOffline(): Promise<void> {
  const { serviceWorker } = navigator;
  if (serviceWorker === undefined || import.meta.env.DEV) return;
  const controlled = new Promise<void>((resolve) => {
    if (serviceWorker.controller !== null) resolve();
    serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true });
  });
  try {
    await serviceWorker.register(new URL('service-worker.js', document.baseURI));
    await Promise.race([controlled, new Promise((resolve) => setTimeout(resolve, patience))]);
  } catch {
    // Private windows and insecure pages have no service worker; `isKeptOffline` reports it.
  }
}

export const isKeptOffline = (): boolean => (navigator.serviceWorker?.controller ?? null) !== null;
