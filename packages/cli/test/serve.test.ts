import { expect, test, vi } from 'vitest';
import { exitCodes, run } from '../src/index.js';

function start(args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const exit = run(['serve', ...args], {
    stdin: (async function* () {})(),
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
  });
  return { exit, out: () => out.join(''), err: () => err.join('') };
}

test('sd serve answers until SIGTERM, and then exits with 0', async () => {
  const { exit, out, err } = start(['--port', '0', '--alias', 'gpt-image-1=tiny', '--max-steps', '3']);
  await vi.waitFor(() => expect(out()).toContain('Models: tiny'), 10_000);
  const [url] = /http:\S+(?=\/v1)/.exec(out())!;
  const draw = (body: object) =>
    fetch(`${url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a red apple', model: 'gpt-image-1', ...body }),
    });
  expect((await draw({ steps: 1 })).status).toBe(200);
  expect((await draw({ steps: 4 })).status).toBe(400);
  process.emit('SIGTERM');
  expect(await exit).toBe(exitCodes.success);
  expect(err()).toMatch(/Loaded tiny in [\d.]+ s\.\nStopping/);
  await expect(fetch(url)).rejects.toThrow();
});

test('sd serve refuses an address that others reach without a key', async () => {
  const { exit, err } = start(['--host', '0.0.0.0']);
  expect(await exit).toBe(exitCodes.usage);
  expect(err()).toContain('--host: 0.0.0.0 can be reached by others');
});
