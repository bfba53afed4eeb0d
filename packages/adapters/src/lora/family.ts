import { familyOfContext, type ModelFamily } from '../family.js';
import type { LoraModule } from './modules.js';
import { type LoraComponent, loraComponents, predictsNoise } from './names.js';

/** The model that a file was made for, as far as its tensors and metadata tell. */
export interface Origin {
  /** The family's id. */
  readonly family: string | undefined;
  /** The same as a sentence, for messages; empty where nothing is known. */
  readonly sentence: string;
}

export function originOf(
  modules: readonly LoraModule[],
  metadata: Readonly<Record<string, string>>,
  families: readonly ModelFamily[],
): Origin {
  const widthIn = (component: LoraComponent, pattern: RegExp) => {
    const found = modules.find((module) => module.component === component && pattern.test(module.module));
    return found && columnsOf(found);
  };
  const contextWidth = widthIn('unet', /attn2_to_[kv]$/);
  const components = new Set(modules.map(({ component }) => component));
  const encoders = loraComponents.filter((component) => !predictsNoise(component) && components.has(component));
  const textWidth = widthIn('text_encoder', /self_attn_[qkv]_proj$/);
  // That there is a second text encoder tells the family; the width of the first does where nothing else is known.
  const hasSecond = encoders.some((component) => component !== 'text_encoder');
  const byEncoders = ({ textWidths }: ModelFamily) =>
    encoders.every((component) => component in textWidths) &&
    (hasSecond || (contextWidth === undefined && textWidth !== undefined && textWidths.text_encoder === textWidth));
  const base = metadata.ss_base_model_version ?? metadata['modelspec.architecture'] ?? '';
  const family =
    familyOfContext(families, contextWidth) ??
    families.find(({ baseModel }) => baseModel.test(base)) ??
    families.find(byEncoders);
  if (family !== undefined) return { family: family.id, sentence: ` The file is for ${family.title}.` };
  const known = contextWidth === undefined ? textWidth && ['text encoder', textWidth] : ['text', contextWidth];
  return {
    family: undefined,
    sentence: known ? ` The file is for a model whose ${known[0]} is ${known[1]} wide.` : '',
  };
}

/** Values of a row of the matrix that a module changes. */
function columnsOf({ tensors }: LoraModule): number | undefined {
  const columns = (...slots: readonly Parameters<typeof tensors.get>[0][]) =>
    slots.map((slot) => tensors.get(slot)?.shape[1]).find((size) => size !== undefined);
  const whole = columns('down', 'hada_w1_b', 'a2', 'diff');
  if (whole !== undefined) return whole;
  const [outer, inner] = [columns('lokr_w1', 'lokr_w1_b'), columns('lokr_w2', 'lokr_w2_b')];
  return outer === undefined || inner === undefined ? undefined : outer * inner;
}
