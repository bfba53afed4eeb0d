import type { Backend, Session } from '@sd/core';
import { BackendError } from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import { expect, test } from 'vitest';
import { loadPipeline } from '../../src/index.js';
import { filesOf, sourceOf } from '../support.js';

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A backend whose sessions compute nothing. Loading some models fails, after a while. */
function failing(...names: string[]) {
  const open = new Set<string>();
  const session: Omit<Session, 'dispose'> = { inputs: [], outputs: [], run: async () => ({}) };
  const backend: Backend = {
    provider: 'cpu',
    async load({ name }) {
      await later(names.includes(name) ? 10 : 20);
      if (names.includes(name)) throw new BackendError(`${name} does not load`);
      open.add(name);
      return { ...session, dispose: async () => void open.delete(name) };
    },
    dispose: async () => {},
  };
  return { backend, open };
}

/** What the process would end for while the pipeline loads. */
async function unhandledDuring(action: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  await action();
  await later(30);
  process.off('unhandledRejection', note);
  for (const listener of others) process.on('unhandledRejection', listener);
  return unhandled;
}

test('where several stages fail to load, there is one error, after all have settled and been freed', async () => {
  const source = sourceOf(await filesOf());
  const { backend, open } = failing('unet', 'text_encoder');
  const load = () => expect(loadPipeline(source, { backend })).rejects.toThrow(/does not load/);
  expect(await unhandledDuring(load)).toEqual([]);
  expect([...open]).toEqual([]);
});

test('a stage of the caller that throws at once leaves nothing behind', async () => {
  const source = sourceOf(await filesOf());
  const { backend, open } = failing('text_encoder');
  const unet = {
    ...mockNoisePredictor(),
    load(): Promise<void> {
      throw new Error('thrown, not rejected');
    },
  };
  const load = () =>
    expect(loadPipeline(source, { backend, components: { unet } })).rejects.toThrow(/does not load|thrown/);
  expect(await unhandledDuring(load)).toEqual([]);
  expect([...open]).toEqual([]);
});
