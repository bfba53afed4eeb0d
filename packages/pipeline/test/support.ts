import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Backend, type Session, type Source, SourceError, type Tensor } from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import { schedulerFromConfig } from '@sd/scheduler';
import { mockTextEncoder } from '@sd/text-encoder/testing';
import { mockTokenizer } from '@sd/tokenizer/testing';
import { mockVae } from '@sd/vae/testing';
import { sd1 } from '../../../fixtures/golden.js';
import type { Pipeline, Stages } from '../src/index.js';

/** Options that runs of the fixture's model share. */
export const road = { prompt: 'a blue car on a road', steps: 2, width: 64, height: 64, seed: 1 };

/** Stages without a model, for images of 64 x 64 pixels. */
export function mockStages(replaced: Partial<Stages> = {}): Stages {
  return {
    textEncoders: [{ tokenizer: mockTokenizer(), textEncoder: mockTextEncoder() }],
    noisePredictor: mockNoisePredictor(),
    vae: mockVae(),
    scheduler: schedulerFromConfig({ _class_name: 'DDIMScheduler', clip_sample: false, steps_offset: 1 }),
    ...replaced,
  };
}

/** Uses a pipeline, and disposes of it in any case. */
export async function using<T>(loading: Promise<Pipeline>, use: (sd: Pipeline) => Promise<T>): Promise<T> {
  const sd = await loading;
  try {
    return await use(sd);
  } finally {
    await sd.dispose();
  }
}

/** All files of a folder, by path. */
export async function filesOf(folder: string | URL = sd1): Promise<Map<string, Uint8Array>> {
  const root = folder instanceof URL ? fileURLToPath(folder) : folder;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return new Map(
    await Promise.all(
      files.map(async ({ parentPath, name }): Promise<[string, Uint8Array]> => {
        const full = path.join(parentPath, name);
        return [path.relative(root, full).split(path.sep).join('/'), await readFile(full)];
      }),
    ),
  );
}

/** A minimal source. */
export function sourceOf(files: ReadonlyMap<string, Uint8Array>): Source {
  return {
    async read(name, range) {
      const bytes = files.get(name);
      if (bytes === undefined) throw new SourceError('not-found', name, `There is no ${name} in the map.`);
      return bytes.slice(range?.start, range?.end);
    },
  };
}

/** The files with some values of a JSON file changed; undefined removes a value. */
export function edited(files: ReadonlyMap<string, Uint8Array>, name: string, values: object): Map<string, Uint8Array> {
  const before = JSON.parse(new TextDecoder().decode(files.get(name)));
  return new Map(files).set(name, new TextEncoder().encode(JSON.stringify({ ...before, ...values })));
}

/** A backend that counts the sessions that it creates. */
export function counting(backend: Backend) {
  const counts = { loaded: [] as string[], open: 0, disposed: false };
  const counted: Backend = {
    provider: backend.provider,
    async load(model, options) {
      const session: Session = await backend.load(model, options);
      counts.loaded.push(model.name);
      counts.open += 1;
      let open = true;
      return {
        ...session,
        async dispose() {
          if (open) counts.open -= 1;
          open = false;
          await session.dispose();
        },
      };
    },
    async dispose() {
      counts.disposed = true;
      await backend.dispose();
    },
  };
  return { backend: counted, counts };
}

/** A promise and the function that resolves it. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** The 8-bit colours of an image [1, 3, h, w] with values of 0 to 1. */
export function rgbOfUnit({ dims, data }: Tensor<'float32'>): number[] {
  const size = dims[2] * dims[3];
  return Array.from({ length: 3 * size }, (_, i) => Math.round(data[(i % 3) * size + Math.floor(i / 3)] * 255));
}
