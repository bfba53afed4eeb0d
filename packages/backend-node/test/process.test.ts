import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { slowGraph } from './graphs.js';

const script = fileURLToPath(new URL('fixtures/script.mjs', import.meta.url));
const env = { ...process.env, GRAPH: Buffer.from(slowGraph()).toString('base64') };

/** Runs the fixture script in a separate process. */
function run(...args: string[]): Promise<{ code: number | string | null | undefined; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env, timeout: 60_000 }, (_, out, err) =>
      resolve({ code: child.exitCode ?? child.signalCode, out, err }),
    );
  });
}

describe('a process', () => {
  test('ends by itself even if nothing was disposed', async () => {
    expect(await run(script, 'forget')).toEqual({ code: 0, out: '', err: '' });
  });

  test('can dispose during a run, which still returns its result', async () => {
    expect(await run(script, 'dispose')).toEqual({ code: 0, out: 'done disposed', err: '' });
  });

  test('ends by itself after an aborted run', async () => {
    expect(await run(script, 'abort')).toEqual({ code: 0, out: 'AbortError', err: '' });
  });

  test('keeps its exit code if process.exit() is called during a run', async () => {
    expect(await run(script, 'exit')).toEqual({ code: 3, out: '', err: '' });
  });

  test('keeps its error if it throws during a run', async () => {
    const { code, err } = await run(script, 'throw');
    expect(code).toBe(1);
    expect(err).toContain('Error: uncaught');
    expect(err).not.toContain('Napi');
  });

  test('may be a module given on the command line', async () => {
    const code = `process.argv[2] = 'forget'; await import(${JSON.stringify(new URL('fixtures/script.mjs', import.meta.url).href)});`;
    expect(await run('--input-type=module', '--eval', code)).toEqual({ code: 0, out: '', err: '' });
  });
});
