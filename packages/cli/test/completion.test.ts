import { afterEach, expect, test, vi } from 'vitest';
import { run } from '../src/index.js';

const written: string[] = [];
vi.spyOn(console, 'log').mockImplementation((text: unknown) => void written.push(String(text)));
afterEach(() => written.splice(0));

const streams = { stdin: (async function* () {})(), stdout: { write: () => {} }, stderr: { write: () => {} } };

test.each(['bash', 'zsh', 'fish', 'powershell'])('sd completion %s writes a script', async (shell) => {
  expect(await run(['completion', shell], streams)).toBe(0);
  expect(written.join('\n')).toMatch(/\bsd\b/);
});

test.each([
  ['commands', [''], ['draw', 'inspect', 'download', 'models', 'doctor', 'serve', 'worker']],
  ['options', ['draw', '--sch'], ['--scheduler']],
  ['values of an option', ['draw', '--device', ''], ['auto', 'cuda', 'webgpu']],
])('completes %s', async (_, words, expected) => {
  expect(await run(['complete', '--', ...words], streams)).toBe(0);
  const suggestions = written
    .join('\n')
    .split('\n')
    .map((line) => line.split('\t')[0]);
  expect(suggestions).toEqual(expect.arrayContaining(expected));
});
