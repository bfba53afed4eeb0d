import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubServer {
  readonly endpoint: string;
  /** Method, path and authorization of each request. */
  readonly requests: { readonly line: string; readonly authorization: string | undefined; readonly range?: string }[];
  /** Called before each response; answers in its place if it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
  close(): Promise<void>;
}

export const commit = 'a'.repeat(40);

/** Files of at least this many bytes are stored apart from git, under their SHA-256. */
const large = 1000;

export function hashOf(bytes: Uint8Array): string {
  if (bytes.length >= large) return createHash('sha256').update(bytes).digest('hex');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/**
 * A server that speaks the part of the hub's API which downloads need, for repositories of one commit. Large files are
 * redirected to another origin, as the hub redirects to its content delivery network.
 * @see huggingface_hub 2.4.0: `hf_api.py` (`repo_info`, `list_repo_tree`), `file_download.py` (`get_hf_file_metadata`)
 */
export async function hubServer(repos: Record<string, Record<string, Uint8Array>>, token?: string): Promise<HubServer> {
  const requests: HubServer['requests'] = [];
  let storage = '';
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const url = new URL(request.url ?? '', 'http://hub');
    const { authorization, range } = request.headers;
    requests.push({ line: `${request.method} ${decodeURIComponent(url.pathname)}`, authorization, range });
    if (await hub.intercept(request, response)) return;
    if (token !== undefined && authorization !== `Bearer ${token}` && !url.pathname.startsWith('/storage/')) {
      return response.writeHead(401, { 'X-Error-Code': 'RepoNotFound' }).end();
    }
    const stored = /^\/storage\/([^/]+\/[^/]+)\/(.+)$/.exec(decodeURIComponent(url.pathname));
    if (stored !== null) return send(request, response, repos[stored[1]][stored[2]]);
    return respond(request, response, decodeURIComponent(url.pathname));
  };
  const respond = (request: IncomingMessage, response: ServerResponse, path: string): unknown => {
    const [, repo, rest] = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
    const files = repos[repo];
    if (files === undefined) return response.writeHead(404, { 'X-Error-Code': 'RepoNotFound' }).end();
    const [, kind, revision, file] = /^(revision|tree|resolve)\/([^/]+)\/?(.*)$/.exec(rest) ?? [];
    if (!['main', 'v1', commit].includes(revision)) {
      return response.writeHead(404, { 'X-Error-Code': 'RevisionNotFound' }).end();
    }
    if (kind === 'revision') return json(response, infoOf(repo, files));
    if (kind === 'tree') return json(response, treeOf(files));
    const bytes = files[file];
    if (bytes === undefined) return response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
    response.setHeader('X-Repo-Commit', commit);
    if (bytes.length < large) return send(request, response, bytes);
    const linked = { 'X-Linked-Etag': `"${hashOf(bytes)}"`, 'X-Linked-Size': bytes.length };
    return response.writeHead(302, { ...linked, Location: `${storage}/storage/${repo}/${file}` }).end();
  };
  const servers = await Promise.all([0, 1].map(() => listening(createServer((...both) => void answer(...both)))));
  const [own, other] = servers.map((server) => (server.address() as AddressInfo).port);
  storage = `http://localhost:${other}`;
  const hub: HubServer = {
    endpoint: `http://127.0.0.1:${own}`,
    requests,
    intercept: () => false,
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  return hub;
}

function listening(server: ReturnType<typeof createServer>): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve) => server.listen(0, () => resolve(server)));
}

function json(response: ServerResponse, value: unknown): unknown {
  return response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function infoOf(repo: string, files: Record<string, Uint8Array>) {
  const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
  return { _id: '1', id: repo, sha: commit, private: false, gated: false, downloads: 0, likes: 0, siblings };
}

function treeOf(files: Record<string, Uint8Array>) {
  return Object.entries(files).map(([path, bytes]) => {
    const hash = hashOf(bytes);
    const isLarge = bytes.length >= large;
    const lfs = isLarge ? { lfs: { oid: hash, size: bytes.length, pointerSize: 130 } } : {};
    return { type: 'file', path, size: bytes.length, oid: isLarge ? 'f'.repeat(40) : hash, ...lfs };
  });
}

function send(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): unknown {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  response.setHeader('ETag', `"${hashOf(bytes)}"`);
  response.setHeader('Accept-Ranges', 'bytes');
  if (Number.isNaN(start)) response.writeHead(200, { 'Content-Length': bytes.length });
  else if (start >= bytes.length) return response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end();
  else {
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { 'Content-Length': bytes.length - start, 'Content-Range': range });
  }
  return response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start || 0));
}
