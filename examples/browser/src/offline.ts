/** How long to wait for the service worker, in milliseconds: the page is to work without it. */
const patience = 3000;

/**
 * Lets the service worker keep the page, so that it loads without a network. Waits until it sees what the page asks for,
 * since ONNX Runtime, which the worker loads, is to be kept too.
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
    // Private windows and insecure pages have none; `isKeptOffline` tells.
  }
}

export const isKeptOffline = (): boolean => (navigator.serviceWorker?.controller ?? null) !== null;
