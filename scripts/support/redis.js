import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const binary = ['redis-server', 'valkey-server'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** Whether Redis or Valkey is installed. */
export const isRedisInstalled = binary !== undefined;

/** Runs something while a server of Redis or Valkey listens on a port, unless one does already. */
export async function withRedis(port, work) {
  if (await isListening(port)) return work();
  const folder = await mkdtemp(path.join(tmpdir(), 'sd-redis-'));
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const server = spawn(binary, options, { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    server.once('exit', resolve);
  });
  try {
    while (!(await isListening(port))) await new Promise((resolve) => setTimeout(resolve, 50));
    return await work();
  } finally {
    server.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
