import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkRoute, runtime, startServer } from '@sd/example-shared/testing';

const app = path.join(import.meta.dirname, '..');
const { command, skip } = runtime('bun', 'BUN');

test('the route streams previews and the image, and a client that leaves ends its run', { skip }, async () => {
  const server = await startServer(command, ['server.js'], { cwd: app });
  try {
    await checkRoute(`${server.url}/api/draw`);
  } finally {
    await server.stop();
  }
});

test('the compiled program draws in a folder without packages', { skip }, async () => {
  const out = await mkdtemp(path.join(tmpdir(), 'sd-bun-'));
  try {
    const env = { ...process.env, PATH: `${path.dirname(command)}${path.delimiter}${process.env.PATH}` };
    const built = spawnSync(command, ['build.js', out], { cwd: app, env, encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    const drawn = spawnSync(path.join(out, 'draw'), ['a red apple', 'apple.png'], { cwd: out, encoding: 'utf8' });
    assert.equal(drawn.status, 0, drawn.stderr);
    assert.equal((await readFile(path.join(out, 'apple.png'))).subarray(1, 4).toString(), 'PNG');
  } finally {
    await rm(out, { recursive: true });
  }
});
