import type { LoraModule } from './modules.js';

/** A family of models that an adapter may be for. */
export type LoraFamily = 'sd1' | 'sd2' | 'sdxl' | 'sdxl-refiner';

const titles: Readonly<Record<LoraFamily, string>> = {
  sd1: 'Stable Diffusion 1',
  sd2: 'Stable Diffusion 2',
  sdxl: 'SDXL',
  'sdxl-refiner': 'the SDXL refiner',
};

/** Families by the width of the text that their U-Net attends to, and by the width of a text encoder. */
const byContext: Readonly<Record<number, LoraFamily>> = { 768: 'sd1', 1024: 'sd2', 1280: 'sdxl-refiner', 2048: 'sdxl' };
const byText: Readonly<Record<number, LoraFamily>> = { 768: 'sd1', 1024: 'sd2' };

/** What an adapter's own tensors and metadata tell of the model that it is for. */
export interface Origin {
  readonly family: LoraFamily | undefined;
  /** The same as a sentence, for messages; empty where nothing is known. */
  readonly sentence: string;
}

export function originOf(modules: readonly LoraModule[], metadata: Readonly<Record<string, string>>): Origin {
  const widthOf = (pattern: RegExp, part: LoraModule['part']) => {
    const found = modules.find((one) => one.part === part && pattern.test(one.module));
    return found && columnsOf(found);
  };
  const context = widthOf(/attn2_to_[kv]$/, 'unet');
  const text = widthOf(/self_attn_[qkv]_proj$/, 'textEncoder');
  const family =
    (context === undefined ? undefined : byContext[context]) ??
    (modules.some(({ part }) => part === 'textEncoder2') ? 'sdxl' : undefined) ??
    familyOf(metadata) ??
    (context !== undefined || text === undefined ? undefined : byText[text]);
  if (family !== undefined) return { family, sentence: ` The file is for ${titles[family]}.` };
  const known = context === undefined ? text && ['text encoder', text] : ['text', context];
  return { family, sentence: known ? ` The file is for a model whose ${known[0]} is ${known[1]} wide.` : '' };
}

/** What trainers write down: kohya's base model, and the architecture by Stability's `modelspec`. */
function familyOf(metadata: Readonly<Record<string, string>>): LoraFamily | undefined {
  const base = metadata.ss_base_model_version ?? metadata['modelspec.architecture'] ?? '';
  if (/^sdxl|^stable-diffusion-xl/.test(base)) return base.includes('refiner') ? 'sdxl-refiner' : 'sdxl';
  const version = /^(?:sd_?v?|stable-diffusion-v)([12])/.exec(base)?.[1];
  return version === undefined ? undefined : `sd${version as '1' | '2'}`;
}

/** Values of a row of the matrix that a module changes. */
function columnsOf({ tensors }: LoraModule): number | undefined {
  const columns = (...slots: readonly Parameters<typeof tensors.get>[0][]) =>
    slots.map((slot) => tensors.get(slot)?.shape[1]).find((size) => size !== undefined);
  const whole = columns('down', 'hada_w1_b');
  if (whole !== undefined) return whole;
  const [outer, inner] = [columns('lokr_w1', 'lokr_w1_b'), columns('lokr_w2', 'lokr_w2_b')];
  return outer === undefined || inner === undefined ? undefined : outer * inner;
}
