import { createNodeBackend } from '@sd/backend-node';
import { servePipeline } from '@sd/pipeline/worker/serve';

/**
 * Serves a pipeline to the page at the other end of a port: the page calls `loadWorkerPipeline(port)`, as for a worker.
 * @param {Pick<import('electron').MessagePortMain, 'postMessage' | 'on' | 'off' | 'start' | 'close'>} port
 */
export function serveOver(port) {
  servePipeline({
    createBackend: () => createNodeBackend(),
    port: {
      // Between processes, buffers are copied: there is nothing to transfer.
      postMessage: (message) => port.postMessage(message),
      addEventListener: (type, listener) =>
        void port.on(/** @type {'message'} */ (type), /** @type {any} */ (listener)),
      removeEventListener: (type, listener) =>
        void port.off(/** @type {'message'} */ (type), /** @type {any} */ (listener)),
      start: () => port.start(),
      close: () => port.close(),
    },
  });
}
