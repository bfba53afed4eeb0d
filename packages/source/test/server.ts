import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

/** Serves a map of files, with support for ranges. If `handle` returns true, it has handled the request. */
export async function serve(files: ReadonlyMap<string, Uint8Array>, handle: Handler = () => false) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://host').pathname.slice(1));
    requests.push(`${request.method} ${path} ${request.headers.range ?? ''}`.trim());
    if (handle(request, response, path)) return;
    const bytes = files.get(path);
    if (bytes === undefined) return void response.writeHead(404).end();
    const [, start, end] = request.headers.range?.match(/bytes=(\d+)-(\d*)/) ?? [];
    if (start === undefined) return void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    if (Number(start) >= bytes.length) {
      return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    }
    const last = Math.min(end === '' ? bytes.length : Number(end), bytes.length - 1);
    const part = bytes.subarray(Number(start), last + 1);
    const range = `bytes ${start}-${last}/${bytes.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': part.length }).end(part);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Bytes that depend on their position. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
}
