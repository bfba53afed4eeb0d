import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { linkSignals, untilAborted } from '../src/index.js';

const never = new Promise<never>(() => {});

test('a linked signal is aborted with the first of its sources, for its reason', () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const { signal } = linkSignals(first.signal, undefined, second.signal);
  expect(signal.aborted).toBe(false);
  second.abort('second');
  first.abort('first');
  expect(signal.aborted).toBe(true);
  expect(signal.reason).toBe('second');
});

test('a linked signal is aborted from the start if a source is', () => {
  const open = new AbortController();
  const { signal } = linkSignals(open.signal, AbortSignal.abort('before'));
  expect(signal.reason).toBe('before');
  expect(getEventListeners(open.signal, 'abort')).toHaveLength(0);
});

test('linked signals leave nothing on a source that outlives them', () => {
  const [source, other] = [new AbortController(), new AbortController()];
  for (let i = 0; i < 3; i++) linkSignals(source.signal, other.signal).unlink();
  linkSignals(source.signal, other.signal);
  other.abort();
  expect(getEventListeners(source.signal, 'abort')).toHaveLength(0);
  // Where Node 20 keeps the signals of AbortSignal.any.
  const kept = Object.getOwnPropertySymbols(source.signal).filter((symbol) => /dependant/i.test(String(symbol)));
  expect(kept.map((symbol) => (source.signal as unknown as Record<symbol, Set<unknown>>)[symbol]?.size ?? 0)).toEqual(
    kept.map(() => 0),
  );
});

test('many linked signals share one listener', () => {
  const source = new AbortController();
  const links = Array.from({ length: 50 }, () => linkSignals(source.signal));
  expect(getEventListeners(source.signal, 'abort')).toHaveLength(1);
  for (const { unlink } of links.slice(0, 25)) unlink();
  source.abort('all');
  expect(links.map(({ signal }) => signal.reason)).toEqual(
    Array.from({ length: 50 }, (_, i) => (i < 25 ? undefined : 'all')),
  );
});

test('after unlink() a linked signal is aborted no more', () => {
  const source = new AbortController();
  const { signal, unlink } = linkSignals(source.signal);
  unlink();
  source.abort();
  expect(signal.aborted).toBe(false);
});

test('work that fails after its signal was aborted is nobody’s unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  const failing = new Promise((_, reject) => setImmediate(() => reject(new Error('late'))));
  await expect(untilAborted(failing, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  await expect(untilAborted(never, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});
