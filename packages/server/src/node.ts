import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, getRequestListener } from '@hono/node-server';
import { InvalidOptionError } from '@sd/core';
import { checkOptions, flag, type OptionTable, text, whole } from '@sd/core/options';
import { createHandler, type Handler } from './handler.js';
import { type HandlerOptions, handlerTable } from './handler-options.js';

export interface ServerOptions extends HandlerOptions {
  /** 127.0.0.1 by default: only programs on this machine. Other addresses need `apiKeys`, or `open: true`. */
  readonly host?: string | undefined;
  /** 7860 by default, A1111's; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Allows other addresses without a key: everyone who reaches them can draw. */
  readonly open?: boolean | undefined;
}

export const serverTable: OptionTable<ServerOptions> = {
  host: { ...text, default: "'127.0.0.1'", text: 'The address to listen at; others than this machine need `apiKeys`.' },
  port: { ...whole(0), default: '7860', text: 'The port; 0 takes a free one.' },
  open: {
    ...flag,
    default: 'false',
    text: 'Allows other addresses without a key: everyone who reaches them can draw.',
  },
  ...handlerTable,
};

/** A server that listens. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:7860`. */
  readonly url: string;
  readonly handler: Handler;
  /**
   * Stops to accept connections, waits for running requests at most `graceMilliseconds` (30 s by default), ends the others,
   * and frees the models.
   */
  close(graceMilliseconds?: number): Promise<void>;
}

const loopback = ['127.0.0.1', 'localhost', '[::1]'];

/** A listener for `node:http`, Express (`app.use('/sd', nodeListener(handler))`) and whatever else takes one. */
export function nodeListener(handler: Handler): (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> {
  return getRequestListener(handler.fetch, { overrideGlobalObjects: false });
}

/**
 * Starts a server for Node. On a loopback address without a key, it answers only to its own names (DNS rebinding). Rejects
 * with an InvalidOptionError for an address that others reach without a key, or with Node's error if it cannot listen.
 */
export async function createServer(options: ServerOptions = {}): Promise<RunningServer> {
  checkOptions(options, serverTable, { of: 'createServer()' });
  const { host = '127.0.0.1', port = 7860, open = false, ...handlerOptions } = options;
  const { apiKeys = [] } = handlerOptions;
  const isLocal = host === 'localhost' || host === '::1' || /^127\./.test(host);
  if (!isLocal && apiKeys.length === 0 && !open) {
    throw new InvalidOptionError(
      'host',
      `${host} can be reached by others, who could draw without limit: set an API key, or say that it is meant to be open.`,
    );
  }
  const allowedHosts = options.allowedHosts ?? (isLocal ? [...loopback, host] : undefined);
  const handler = createHandler({ ...handlerOptions, allowedHosts });
  const server = createAdaptorServer({ fetch: handler.fetch, overrideGlobalObjects: false }) as Server;
  try {
    await listen(server, port, host);
  } catch (error) {
    await handler.close();
    throw error;
  }
  return {
    url: urlOf(server.address() as AddressInfo),
    handler,
    async close(graceMilliseconds = 30_000) {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await handler.close(graceMilliseconds);
      // Answers that were just finished may still be on their way.
      const timer = setTimeout(() => server.closeAllConnections(), 1000);
      await closed;
      clearTimeout(timer);
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
