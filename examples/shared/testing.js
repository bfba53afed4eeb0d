// What the examples' tests share.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { lines } from './lines.js';

/** A port that nothing listens on. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * Why a test of another runtime is skipped, where that is not installed; its command, or that of the environment variable.
 * @param {string} command
 * @param {string} variable
 */
export function runtime(command, variable) {
  const found = process.env[variable] ?? command;
  const { error } = spawnSync(found, ['--version']);
  return { command: found, skip: error === undefined ? false : `${command} is not installed` };
}

/**
 * Starts a server, with its port in the environment variable PORT, and waits until it answers.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string }} options
 */
export async function startServer(command, args, { cwd }) {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise((resolve) => child.on('close', resolve));
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}: ${output}`);
    const answered = await fetch(url).then(
      (response) => response.body?.cancel().then(() => true),
      () => false,
    );
    if (answered) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/**
 * Draws over a server's route as its page does, then leaves in the middle of a long run, which must not hold the next one,
 * and makes a mistake.
 * @param {string} route
 */
export async function checkRoute(route) {
  const post = (/** @type {object} */ body, /** @type {AbortSignal} */ signal) =>
    fetch(route, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
  const prompt = 'a red apple';

  const leaving = new AbortController();
  const long = await post({ prompt, steps: 100_000 }, leaving.signal);
  for await (const line of lines(long)) {
    assert.equal(line.steps, 100_000);
    break;
  }
  leaving.abort();

  const seen = [];
  const response = await post({ prompt, steps: 3, seed: 7 }, AbortSignal.timeout(120_000));
  assert.match(response.headers.get('content-type') ?? '', /^application\/x-ndjson/);
  for await (const line of lines(response)) seen.push(line);
  assert.deepEqual(
    seen.map(({ step, seed }) => step ?? `seed ${seed}`),
    [1, 2, 3, 'seed 7'],
  );
  for (const { preview, image } of seen) assert.match(preview ?? image, /^data:image\/png;base64,iVBORw0KGgo/);

  const mistake = await post({ prompt, steps: -1 }, AbortSignal.timeout(60_000));
  assert.equal(mistake.status, 400);
  assert.match((await mistake.json()).error, /^steps: /);
}

/**
 * Starts the `server.js` of an example, checks its route, and stops it.
 * @param {string} folder
 */
export async function checkServer(folder) {
  const server = await startServer(process.execPath, ['server.js'], { cwd: folder });
  try {
    await checkRoute(`${server.url}/api/draw`);
  } finally {
    await server.stop();
  }
}

/**
 * Opens a page in Chromium, which is Debian's or that of the environment variable CHROMIUM, and fails on any error in its
 * console, such as a missing file.
 * @param {string} url
 * @param {(page: import('playwright').Page) => Promise<void>} use
 */
export async function withPage(url, use) {
  const { chromium } = await import('playwright');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    /** @type {string[]} */
    const problems = [];
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(url);
    await use(page);
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
}
