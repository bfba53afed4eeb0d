import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createQueue } from '@sd/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { needsRedis, redisBinary, startRedis } from '../../../fixtures/redis-server.js';
import { exitCodes, run } from '../src/index.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const request = { prompt: 'a car', width: 16, height: 16, steps: 1, seed: 1 };

it('sd worker: what is wrong with its options is said in their names', async () => {
  const texts: string[] = [];
  const streams = {
    stdin: (async function* () {})(),
    stdout: { write() {} },
    stderr: { write: (t: string) => texts.push(t) },
  };
  expect(await run(['worker', '--queue', 'localhost'], streams)).toBe(exitCodes.usage);
  expect(await run(['worker', '--queue', 'redis://127.0.0.1:1', '--model', '/models/a'], streams)).toBe(
    exitCodes.usage,
  );
  expect(texts.join('')).toMatch(/^--queue: must be .* redis:\/\/localhost.*\n--model: must be a name and a place/);
});

describe.skipIf(redisBinary === undefined)(`sd worker${needsRedis}`, () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('draws jobs until SIGTERM, and finishes the one that it has', async () => {
    const queue = createQueue({ connection: server.url });
    const models = ['--model', `small=${fixture('models/sd1')}`, '--model', 'tiny=tiny'];
    const worker = spawn(process.execPath, [main, 'worker', '--queue', server.url, ...models]);
    const [first, second] = await Promise.all(
      [1, 100].map((steps) => queue.enqueue({ model: 'small', request: { ...request, steps } })),
    );
    expect((await first.result()).images).toHaveLength(1);
    for await (const { type } of second.events()) if (type === 'step') break;
    worker.kill('SIGTERM');
    expect(await exitOf(worker)).toBe(exitCodes.success);
    expect((await second.result()).images).toHaveLength(1);
    expect((await queue.models()).names).toEqual(['small', 'tiny']);
    expect(await queue.workers()).toEqual([]);
    await queue.close();
  });
});

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', resolve);
  });
}
