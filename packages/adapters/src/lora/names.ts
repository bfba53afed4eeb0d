/** The models that an adapter's modules belong to. */
export const loraParts = ['unet', 'textEncoder', 'textEncoder2'] as const;
export type LoraPart = (typeof loraParts)[number];

/** What a tensor is to its module; those of LyCORIS have the names that they have in files. */
export type Slot = 'down' | 'up' | 'mid' | 'bias' | 'alpha' | 'magnitude' | 'dora_scale' | LohaSlot | LokrSlot;
type LohaSlot = `hada_${'w1' | 'w2'}_${'a' | 'b'}` | 'hada_t1' | 'hada_t2';
type LokrSlot = `lokr_${'w1' | 'w2'}${'' | '_a' | '_b'}` | 'lokr_t2';

export interface TensorName {
  readonly part: LoraPart;
  /** The module, with underscores for dots: `down_blocks_0_attentions_0_proj_in`; a text encoder's without `text_model_`. */
  readonly module: string;
  /** What the file calls the module, for messages. */
  readonly written: string;
  /** What follows the module's name in the file. */
  readonly ending: string;
}

const prefixes: readonly (readonly [RegExp, LoraPart])[] = [
  [/^(lora|lycoris)_unet_/, 'unet'],
  [/^(lora|lycoris)_te1?_/, 'textEncoder'],
  [/^(lora|lycoris)_te2_/, 'textEncoder2'],
  [/^unet\./, 'unet'],
  [/^text_encoder\./, 'textEncoder'],
  [/^text_encoder_2\./, 'textEncoder2'],
  [/^(base_model\.model\.)?(?=(down_blocks|mid_block|up_blocks)\.)/, 'unet'],
  [/^diffusion_model\.(?=(input_blocks|middle_block|output_blocks|time_embed|label_emb|out)\.)/, 'unet'],
  [/^(base_model\.model\.)?(?=text_model\.)/, 'textEncoder'],
];

/** Endings of a tensor's name, after its module. PEFT may put the adapter's own name in between. */
const endings: readonly (readonly [RegExp, Slot | ((match: RegExpExecArray) => Slot)])[] = [
  [/\.lora_A(\.[^.]+)?\.weight$/, 'down'],
  [/\.lora_B(\.[^.]+)?\.weight$/, 'up'],
  [/\.lora_B(\.[^.]+)?\.bias$/, 'bias'],
  [/\.lora_(down|up|mid)\.weight$/, ([, slot]) => slot as Slot],
  [/(?:_lora|\.lora|\.lora_linear_layer)\.(down|up)\.weight$/, ([, slot]) => slot as Slot],
  [/(?:_lora)?\.alpha$/, 'alpha'],
  [/\.lora_magnitude_vector(\.[^.]+)?(\.weight)?$/, 'magnitude'],
  [/\.dora_scale$/, 'dora_scale'],
  [/\.(hada_(?:w[12]_[ab]|t[12]))$/, ([, slot]) => slot as Slot],
  [/\.(lokr_(?:w[12](?:_[ab])?|t2))$/, ([, slot]) => slot as Slot],
];

/** Endings of other algorithms, by what they are called. */
const others: readonly (readonly [RegExp, string])[] = [
  [/\.(oft_blocks|oft_diag|oft_R(\..+)?|boft_\w+|rescale)$/, 'OFT'],
  [/\.([ab][12]|bm)\.weight$/, 'GLoRA'],
  [/\.on_input$/, 'IA3'],
  [/\.(diff|diff_b|w_norm|b_norm)$/, 'whole differences'],
];

/** Names of models without a U-Net, that this project has no graphs for. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/(double|single)_blocks?[._]|single_transformer_blocks/, 'Flux'],
  [/joint_(transformer_)?blocks/, 'Stable Diffusion 3'],
  [/^lora_prior_/, 'Stable Cascade'],
  [
    /^((lora|lycoris)_)?transformer[._]|^diffusion_model\.\w*(?<!input_|output_)blocks\./,
    'a model with a transformer in the U-Net’s place',
  ],
];

const unetAttention: Readonly<Record<string, string>> = { to_out: 'to_out_0' };
const textAttention: Readonly<Record<string, string>> = {
  to_q: 'q_proj',
  to_k: 'k_proj',
  to_v: 'v_proj',
  to_out: 'out_proj',
};

/** Reads the name of a tensor; undefined for one that belongs to no module of a U-Net or text encoder. */
export function readTensorName(name: string): (TensorName & { readonly slot: Slot | undefined }) | undefined {
  for (const [prefix, part] of prefixes) {
    const before = prefix.exec(name)?.[0];
    if (before === undefined) continue;
    for (const [pattern, slot] of endings) {
      const match = pattern.exec(name);
      if (match === null) continue;
      const written = name.slice(0, match.index);
      const module = moduleName(part, written.slice(before.length));
      return { part, module, written, ending: match[0], slot: typeof slot === 'string' ? slot : slot(match) };
    }
    const written = name.slice(0, name.lastIndexOf('.'));
    return { part, module: moduleName(part, written.slice(before.length)), written, ending: '', slot: undefined };
  }
  return undefined;
}

/** An algorithm that is known by a tensor's name, but not read. */
export function otherAlgorithm(name: string): string | undefined {
  return others.find(([pattern]) => pattern.test(name))?.[1];
}

/** The family of models that a tensor's name tells of, where it is one that is not supported. */
export function foreignFamily(name: string): string | undefined {
  return foreign.find(([pattern]) => pattern.test(name))?.[1];
}

/** Old files of diffusers have a processor in an attention's name, and its layers under other names. */
function moduleName(part: LoraPart, written: string): string {
  const flat = written.replace(/\.processor(?=\.)/, '').replaceAll('.', '_');
  const layers = part === 'unet' ? unetAttention : textAttention;
  const renamed = flat.replace(/to_(q|k|v|out)$/, (layer) => layers[layer] ?? layer);
  return part === 'unet' ? renamed : renamed.replace(/^text_model_/, '');
}
