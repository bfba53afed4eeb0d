import { motionModuleName } from '../motion-names.js';

/** The components of a model that an adapter's modules may belong to, by diffusers' names. */
export const loraComponents = ['unet', 'transformer', 'text_encoder', 'text_encoder_2', 'text_encoder_3'] as const;
export type LoraComponent = (typeof loraComponents)[number];

/** Names of tensors that only LoRAs and related adapters have: a file with one is of this kind. */
const mark =
  /(lora_(up|down|mid|A|B|embedding_[AB]|magnitude_vector)|_lora\.(up|down)|\.lora\.(up|down)|hada_|lokr_|dora_scale|oft_|boft_|on_input|lambda_layer)/;

/** Whether a file with a tensor of this name is a LoRA or a related adapter. */
export function isLoraTensor(name: string): boolean {
  if (mark.test(name)) return true;
  const read = readTensorName(name);
  return read?.slot !== undefined && read.slot !== 'alpha' && read.slot !== 'scale';
}

/** The role of a tensor in its module; those of LyCORIS keep their names in files. */
export type Slot =
  | 'down'
  | 'up'
  | 'mid'
  | 'bias'
  | 'alpha'
  | 'magnitude'
  | 'dora_scale'
  | LohaSlot
  | LokrSlot
  | GloraSlot
  | 'oft_blocks'
  | 'oft_diag'
  | 'rescale'
  | 'scale'
  | 'on_input'
  | DifferenceSlot;
type LohaSlot = `hada_${'w1' | 'w2'}_${'a' | 'b'}` | 'hada_t1' | 'hada_t2';
type LokrSlot = `lokr_${'w1' | 'w2'}${'' | '_a' | '_b'}` | 'lokr_t2';
type GloraSlot = 'a1' | 'a2' | 'b1' | 'b2' | 'bm';
/** Whole differences: of a weight, of a bias, and of a normalization's scale and shift. */
type DifferenceSlot = 'diff' | 'diff_b' | 'w_norm' | 'b_norm';

export interface TensorName {
  readonly component: LoraComponent;
  /** The module, with underscores for dots: `down_blocks_0_attentions_0_proj_in`; a text encoder's without `text_model_`. */
  readonly module: string;
  /** The module as the file writes it, for messages. */
  readonly written: string;
  /** The same without its prefix. */
  readonly path: string;
  /** The rest of the tensor's name in the file. */
  readonly ending: string;
}

/** Wrappers that PEFT and torch's parallel training put around a model. */
const wrapper = /^(base_model\.model\.|module\.)?/;

const unetModules =
  '(down_blocks|mid_block|up_blocks|conv_in|conv_out|conv_norm_out|time_embedding|add_embedding|input_blocks|middle_block|output_blocks|time_embed|label_emb|out)';
const transformerModules =
  '(transformer_blocks|pos_embed|time_text_embed|context_embedder|norm_out|proj_out|joint_blocks|[xty]_embedder|final_layer)';

/**
 * Prefixes of modules after the wrapper, in the order in which they are tried: kohya's, LyCORIS's and OneTrainer's, with
 * an underscore or a dot; diffusers'; ComfyUI's and OneTrainer's short names of the text encoders; and none.
 */
const prefixes: readonly (readonly [RegExp, LoraComponent])[] = [
  // kohya calls Stable Diffusion 3's transformer a U-Net.
  [/^(lora|lycoris)_unet[_.](?=(joint_blocks|[xty]_embedder|context_embedder|final_layer)[_.])/, 'transformer'],
  [/^(lora|lycoris)_unet[_.]/, 'unet'],
  [/^(lora|lycoris)_transformer[_.](?!blocks)/, 'transformer'],
  [/^(lora|lycoris)_te1?[_.]/, 'text_encoder'],
  [/^(lora|lycoris)_te2[_.]/, 'text_encoder_2'],
  [/^(lora|lycoris)_te3[_.]/, 'text_encoder_3'],
  [/^unet\./, 'unet'],
  [/^transformer\./, 'transformer'],
  [/^text_encoder\./, 'text_encoder'],
  [/^text_encoder_2\./, 'text_encoder_2'],
  [/^text_encoder_3\./, 'text_encoder_3'],
  [/^(text_encoders\.)?clip_[lh]\.(transformer\.)?/, 'text_encoder'],
  [/^(text_encoders\.)?clip_g\.(transformer\.)?/, 'text_encoder_2'],
  [/^(text_encoders\.)?t5(xxl)?\.(transformer\.)?/, 'text_encoder_3'],
  [new RegExp(`^((lora|lycoris)_|(model\\.)?diffusion_model\\.)?(?=${unetModules}[._])`), 'unet'],
  [new RegExp(`^((lora|lycoris)_|(model\\.)?diffusion_model\\.)?(?=${transformerModules}[._])`), 'transformer'],
  [/^((lora|lycoris)_)?(?=text_model[._])/, 'text_encoder'],
];

/** Endings of a tensor's name, after its module. PEFT may put the adapter's name in between, or after it. */
const endings: readonly (readonly [RegExp, Slot | ((match: RegExpExecArray) => Slot)])[] = [
  [/\.lora_A(\.[^.]+)?\.weight$/, 'down'],
  [/\.lora_B(\.[^.]+)?\.weight$/, 'up'],
  [/\.lora_B(\.[^.]+)?\.bias$/, 'bias'],
  [/\.lora_(down|up|mid)\.weight$/, ([, slot]) => slot as Slot],
  [/(?:_lora|\.lora|\.lora_linear_layer)\.(down|up)\.weight$/, ([, slot]) => slot as Slot],
  [/(?:_lora)?\.alpha$/, 'alpha'],
  [/\.lora_magnitude_vector(\.[^.]+)?(\.weight)?$/, 'magnitude'],
  [/\.dora_scale$/, 'dora_scale'],
  [/\.(hada_(?:w[12]_[ab]|t[12]))(\.[^.]+)?$/, ([, slot]) => slot as Slot],
  [/\.(lokr_(?:w[12](?:_[ab])?|t2))(\.[^.]+)?$/, ([, slot]) => slot as Slot],
  [/\.([ab][12]|bm)\.weight$/, ([, slot]) => slot as Slot],
  [/\.(oft_blocks|oft_diag|rescale|on_input)$/, ([, slot]) => slot as Slot],
  [/\.bias\.diff$/, 'diff_b'],
  [/(?:\.weight)?\.diff$/, 'diff'],
  [/\.(diff_b|w_norm|b_norm)$/, ([, slot]) => slot as Slot],
];

/** The ending of IA3's factors, in files whose modules have underscores. Elsewhere it is the ending of a whole weight. */
const scaleEnding = /^((?:lora|lycoris)_[^.]+)(\.weight)$/;

/** Endings of other algorithms, by what they are called. */
const others: readonly (readonly [RegExp, string])[] = [
  [/\.oft_R(\..+)?$/, 'OFT as PEFT writes it'],
  [/\.boft_\w+(\..+)?$/, 'BOFT as PEFT writes it'],
  [/\.ia3_l(\..+)?$/, 'IA3 as PEFT writes it'],
  [/\.lora_embedding_[AB](\..+)?$/, 'an embedding’s LoRA as PEFT writes it'],
  [/\.(vera|hra|vblora|fourierft|randlora|shira|bone|waveft|road)_\w+(\..+)?$/, 'another method of PEFT'],
  [/\.(lambda_layer|[pq]_layer\.weight)$/, 'T-LoRA'],
  [/\.(set_weight|reshape_weight)$/, 'replaced weights'],
];

/** Old files name an attention's layers in other ways: those of a noise predictor, and of a text encoder. */
const noiseAttention: Readonly<Record<string, string>> = { to_out: 'to_out_0' };
const textAttention: Readonly<Record<string, string>> = {
  to_q: 'q_proj',
  to_k: 'k_proj',
  to_v: 'v_proj',
  to_out: 'out_proj',
};

/** Reads the name of a tensor; undefined for one that belongs to no module of a known component. */
export function readTensorName(name: string): (TensorName & { readonly slot: Slot | undefined }) | undefined {
  const wrapped = wrapper.exec(name)?.[0].length ?? 0;
  const inner = name.slice(wrapped);
  for (const [prefix, component] of prefixes) {
    const before = prefix.exec(inner)?.[0];
    if (before === undefined) continue;
    const { slot, ending } = readEnding(name) ?? { slot: undefined, ending: name.slice(name.lastIndexOf('.')) };
    const written = name.slice(0, name.length - ending.length);
    const path = written.slice(wrapped + before.length);
    return { component, module: moduleName(component, path), written, path, ending, slot };
  }
  return undefined;
}

function readEnding(name: string): { readonly slot: Slot; readonly ending: string } | undefined {
  for (const [pattern, slot] of endings) {
    const match = pattern.exec(name);
    if (match !== null) return { slot: typeof slot === 'string' ? slot : slot(match), ending: match[0] };
  }
  const scale = scaleEnding.exec(name);
  return scale === null ? undefined : { slot: 'scale', ending: scale[2] };
}

/** An algorithm that is known by a tensor's name, but not read. */
export function otherAlgorithm(name: string): string | undefined {
  return others.find(([pattern]) => pattern.test(name))?.[1];
}

/** Whether the component predicts noise; the others are text encoders. */
export const predictsNoise = (component: string): boolean => component === 'unet' || component === 'transformer';

/** Old files of diffusers have a processor in an attention's name, and its layers under other names. */
function moduleName(component: LoraComponent, written: string): string {
  const flat = motionModuleName(written)
    .replace(/\.processor(?=\.|$)/, '')
    .replaceAll('.', '_');
  const layers = predictsNoise(component) ? noiseAttention : textAttention;
  const renamed = flat.replace(/to_(q|k|v|out)$/, (layer) => layers[layer] ?? layer);
  return predictsNoise(component) ? renamed : renamed.replace(/^text_model_/, '');
}
