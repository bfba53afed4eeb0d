import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';

/** The server of Redis or Valkey that is installed; undefined if there is none. */
export const serverBinary: string | undefined = ['redis-server', 'valkey-server'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** For the title of tests that are skipped. */
export const needsRedis =
  serverBinary === undefined ? ' (skipped: neither redis-server nor valkey-server is installed)' : '';

export interface RedisServer {
  readonly url: string;
  /** Stops the process, as a restart of the machine would, and starts it again with what it had on disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server of its own, on a free port and with a temporary folder. */
export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sd-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server = await start(port, folder);

  async function end(): Promise<void> {
    const ended = new Promise((resolve) => {
      server.once('exit', resolve);
    });
    server.kill('SIGTERM');
    await ended;
  }

  return {
    url,
    async restart() {
      await end();
      server = await start(port, folder);
    },
    async stop() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(port: number, folder: string) {
  const options = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''];
  const server = spawn(serverBinary!, options.map(String), { stdio: 'ignore' });
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await redis.ping();
  redis.disconnect();
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
