import { readTextualInversion } from '@sd/adapters';
import { CheckpointError, InvalidOptionError, type Tensor, type TextEncoder, type Warning } from '@sd/core';
import type { Adapter, LearnedWords } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';

/** Opens a textual inversion. In prompts it is the name that it was attached as, and the word that its file has for it. */
export async function openTextualInversion(
  { source, path, name }: AdapterFile,
  { stages }: AdapterContext,
): Promise<Adapter> {
  const { word, textEncoder, textEncoder2 } = await readTextualInversion(source, path);
  expectWidth(path, textEncoder, stages.textEncoder);
  if (textEncoder2 !== undefined) expectWidth(path, textEncoder2, stages.textEncoder2);
  return {
    name,
    kind: 'textual-inversion',
    words: { words: [...new Set([name, word ?? name])], textEncoder, textEncoder2 },
    warnings: () => (stages.textEncoder2 === undefined ? [] : untaught({ textEncoder, textEncoder2 }, name)),
  };
}

/** Of a model with two text encoders, those of SDXL, a file may teach one alone. */
function untaught(taught: Pick<LearnedWords, 'textEncoder' | 'textEncoder2'>, word: string): Warning[] {
  const missing = (['textEncoder', 'textEncoder2'] as const).find((part) => taught[part] === undefined);
  if (missing === undefined) return [];
  const [which, tensor] = missing === 'textEncoder' ? ['first', 'clip_l'] : ['second', 'clip_g'];
  return [
    {
      code: 'encoder-untaught',
      message: `The file has no vectors for the ${which} text encoder, ${tensor}: it reads ${JSON.stringify(word)} as any other text.`,
    },
  ];
}

function expectWidth(file: string, vectors: Tensor<'float32'> | undefined, encoder: TextEncoder | undefined): void {
  if (vectors === undefined) return;
  const width = vectors.dims[1]!;
  if (encoder === undefined) {
    throw new CheckpointError(
      'misshapen-tensor',
      file,
      `is for a model with two text encoders, as SDXL has. This one has one.`,
    );
  }
  if (!('config' in encoder)) {
    throw new InvalidOptionError(
      'attach',
      'needs a text encoder that was loaded from a checkpoint, not one of your own.',
    );
  }
  const { width: own } = encoder.config as { readonly width: number };
  if (own === width) return;
  const families: Readonly<Record<number, string>> = {
    768: 'SD 1 or SDXL’s first encoder',
    1024: 'SD 2',
    1280: 'SDXL’s second encoder',
  };
  const made = families[width] === undefined ? '' : ` It was made for ${families[width]}.`;
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `has vectors of ${width} values, but this text encoder’s have ${own}.${made}`,
  );
}
