import { SdError } from '@sd/core';
import type { FamilyId } from '../single-file/families.js';
import { countOf, type InspectedFile, shapeOf } from './inspected-file.js';
import type { Finding } from './inspection.js';

/** Families by the width of the text that their U-Nets attend to. */
export const familyByContext: Readonly<Record<number, FamilyId>> = {
  768: 'sd1',
  1024: 'sd2',
  1280: 'sdxl-refiner',
  2048: 'sdxl',
};

type Finder = (file: InspectedFile) => Finding | undefined | Promise<Finding | undefined>;

const has = (file: InspectedFile, name: RegExp) => shapeOf(file, name) !== undefined;

function withFamily(finding: Finding, width: number | undefined): Finding {
  const family = width === undefined ? undefined : familyByContext[width];
  return family === undefined ? finding : { ...finding, family };
}

const hypernetwork: Finder = (file) => {
  if (!has(file, /^\d+\.[01]\.linear\d?\./)) return undefined;
  const value = file.value instanceof Map ? file.value : new Map();
  const widths = [...value.keys()].filter((key) => typeof key === 'number');
  const known = widths.filter((width) => Object.hasOwn(familyByContext, width) && width !== 1280);
  const details = {
    widths,
    structure: value.get('layer_structure') ?? undefined,
    activation: value.get('activation_func') ?? undefined,
    layerNorm: value.get('is_layer_norm') ?? undefined,
    title: value.get('name') ?? undefined,
  };
  return withFamily({ kind: 'hypernetwork', layout: 'A1111', details }, known.length === 1 ? known[0] : undefined);
};

const textualInversion: Finder = (file) => {
  const old = shapeOf(file, /^string_to_param\./);
  const large = file.tensors.get('clip_g')?.shape;
  const plain = file.tensors.get('emb_params')?.shape;
  const [[only, view] = []] = file.tensors.size === 1 ? file.tensors : [];
  const own = only !== undefined && !only.includes('.') && view!.shape.length <= 2 ? view!.shape : undefined;
  const shape = old ?? large ?? plain ?? own;
  if (shape === undefined || shape.length === 0) return undefined;
  const width = shape.at(-1)!;
  const details = {
    vectors: shape.length === 1 ? 1 : shape[0]!,
    width,
    token: plain === undefined && old === undefined && large === undefined ? only : undefined,
    title: old !== undefined && file.value instanceof Map ? (file.value.get('name') ?? undefined) : undefined,
  };
  const layout = details.token === undefined ? 'A1111' : 'diffusers';
  return withFamily({ kind: 'textual-inversion', layout, details }, large === undefined ? width : 2048);
};

const ipAdapter: Finder = (file) => {
  const keys = shapeOf(file, /^ip_adapter\.\d+\.to_k_ip\.weight$/);
  if (keys === undefined) return undefined;
  const plain = shapeOf(file, /^image_proj\.proj\.weight$/);
  const queries = shapeOf(file, /^image_proj\.latents$/);
  const faceId = has(file, /^ip_adapter\.\d+\.to_[qkv]_lora\./);
  const variant = faceId ? 'FaceID' : queries !== undefined ? 'Plus' : plain !== undefined ? 'plain' : 'Full';
  const details = {
    variant,
    layers: countOf(file, /^ip_adapter\.(\d+)\.to_k_ip\.weight$/),
    tokens: queries?.[1] ?? (plain && plain[0]! / keys[1]!),
    imageWidth: plain?.[1] ?? shapeOf(file, /^image_proj\.proj_in\.weight$/)?.[1],
  };
  const canDo = faceId ? 'FaceID adapters need a face recogniser, which this version does not have.' : undefined;
  return withFamily({ kind: 'ip-adapter', layout: 'original', details, ...(canDo && { canDo }) }, keys[1]);
};

const motionAdapter: Finder = (file) => {
  if (!has(file, /(^|\.)motion_modules\.\d+\./)) return undefined;
  // A LoRA of one, or a U-Net with motion.
  if (has(file, loraTensor) || has(file, /(^|\.)conv_in\.weight$/)) return undefined;
  const original = has(file, /temporal_transformer\./);
  const frames = shapeOf(file, /(pos_encoder|pos_embed)\.pe$/)?.[1];
  const widest = shapeOf(file, /(^|\.)down_blocks\.0\.motion_modules\.0\..*proj_in\.weight$/)?.[0];
  const levels = countOf(file, /(?:^|\.)down_blocks\.(\d+)\./);
  const full = widest === 320 ? ({ family: levels === 3 ? 'sdxl' : 'sd1' } as const) : {};
  const details = {
    frames,
    modules: countOf(file, /^(.*motion_modules\.\d+)\./),
    middle: has(file, /(^|\.)mid_block\./),
  };
  return { kind: 'motion-adapter', layout: original ? 'original' : 'diffusers', details, ...full };
};

const controlNet: Finder = (file) => {
  const original = has(file, /^(control_model\.)?zero_convs\.0\.0\.weight$/);
  if (!original && !file.tensors.has('controlnet_cond_embedding.conv_in.weight')) return undefined;
  const width = shapeOf(file, /\.attn2\.to_k\.weight$/)?.[1];
  const picture = shapeOf(file, /(input_hint_block\.0|controlnet_cond_embedding\.conv_in)\.weight$/)?.[1];
  return withFamily(
    { kind: 'controlnet', layout: original ? 'original' : 'diffusers', details: { channels: picture } },
    width,
  );
};

const t2iAdapter: Finder = (file) => {
  if (!has(file, /(^|\.)body\.\d+\.(resnets\.\d+\.)?block1\.weight$/)) return undefined;
  const channels = shapeOf(file, /(^|\.)conv_in\.weight$/)?.[1];
  // Pictures come in squares of 8 pixels to SD 1's, of 16 to SDXL's, in one channel or three.
  const family = ({ 64: 'sd1', 192: 'sd1', 256: 'sdxl', 768: 'sdxl' } as const)[channels ?? 0];
  const layout = has(file, /\.resnets\.\d+\.block1\./) ? 'diffusers' : 'original';
  return { kind: 't2i-adapter', layout, details: { inputs: channels }, ...(family && { family }) };
};

const loraTensor =
  /(lora_(up|down|mid|A|B|magnitude_vector)|_lora\.(up|down)|\.lora\.(up|down)|hada_|lokr_|dora_scale|oft_|boft_|on_input)/;

const lora: Finder = async (file) => {
  if (!has(file, loraTensor)) return undefined;
  const { originOf, readModules } = await import('@sd/adapters');
  const names = [...file.tensors.keys()];
  const kohya = names.some((name) => /^(lora|lycoris)_/.test(name));
  const layout = kohya ? 'kohya' : names.some((name) => /\.lora_[AB](\.|$)/.test(name)) ? 'PEFT' : 'diffusers';
  try {
    const { modules } = readModules(file.path, file.tensors);
    const { family } = originOf(modules, file.metadata);
    const ranks = modules.map(
      ({ tensors }) => (tensors.get('down') ?? tensors.get('hada_w1_b') ?? tensors.get('lokr_w2_b'))?.shape[0],
    );
    const dora = modules.some(({ tensors }) => tensors.has('dora_scale') || tensors.has('magnitude'));
    const convolutions = modules.some(({ tensors }) => (tensors.get('down')?.shape.length ?? 0) === 4);
    const details = {
      algorithms: [...new Set(modules.map(({ algorithm }) => algorithm)), ...(dora ? ['dora'] : [])],
      modules: modules.length,
      ranks: [...new Set(ranks.filter((rank) => rank !== undefined))].sort((a, b) => a - b),
      parts: [...new Set(modules.map(({ part }) => part))],
      convolutions,
    };
    return { kind: 'lora', layout, details, ...(family && { family }) };
  } catch (error) {
    if (!SdError.isInstance(error)) throw error;
    return { kind: 'lora', layout, canDo: `It cannot be attached: ${error.message}` };
  }
};

/** What hangs onto a model, in the order in which names tell it apart. */
export const adapterFinders: readonly Finder[] = [
  hypernetwork,
  ipAdapter,
  motionAdapter,
  controlNet,
  lora,
  t2iAdapter,
  textualInversion,
];
