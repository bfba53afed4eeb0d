import { chromium } from 'playwright';
import { preview } from 'vite';

/** A server for the built page, which counts the bytes that it sends. */
export async function serveBuild({ isolated = true } = {}) {
  const sent = new Map();
  const counting = {
    name: 'counting',
    config(config) {
      if (!isolated) config.preview.headers = {};
    },
    configurePreviewServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const path = new URL(request.url, 'http://here').pathname;
        const { write, end } = response;
        const count = (chunk) => {
          if (chunk?.length > 0) sent.set(path, (sent.get(path) ?? 0) + chunk.length);
        };
        response.write = (chunk, ...rest) => {
          count(chunk);
          return write.call(response, chunk, ...rest);
        };
        response.end = (chunk, ...rest) => {
          if (typeof chunk !== 'function') count(chunk);
          return end.call(response, chunk, ...rest);
        };
        next();
      });
    },
  };
  const server = await preview({
    root: new URL('..', import.meta.url).pathname,
    logLevel: 'warn',
    plugins: [counting],
    preview: { host: '127.0.0.1', port: 0 },
  });
  return {
    url: server.resolvedUrls.local[0],
    /** Bytes sent of each file under a path since the last call. */
    take(path) {
      const taken = [...sent].filter(([name]) => name.startsWith(path));
      sent.clear();
      return taken;
    },
    async close() {
      server.httpServer.closeAllConnections();
      await server.close();
    },
  };
}

/** Debian's Chromium; the environment variable CHROMIUM names another. */
export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
