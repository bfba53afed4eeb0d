/** The components of a model that an adapter's modules may belong to, by diffusers' names. */
export const loraComponents = ['unet', 'transformer', 'text_encoder', 'text_encoder_2', 'text_encoder_3'] as const;
export type LoraComponent = (typeof loraComponents)[number];

/** Names of tensors that adapters of low rank and their kin have, and no models. */
export const isLoraTensor =
  /(lora_(up|down|mid|A|B|magnitude_vector)|_lora\.(up|down)|\.lora\.(up|down)|hada_|lokr_|dora_scale|oft_|boft_|on_input)/;

/** The role of a tensor in its module; those of LyCORIS keep their names in files. */
export type Slot = 'down' | 'up' | 'mid' | 'bias' | 'alpha' | 'magnitude' | 'dora_scale' | LohaSlot | LokrSlot;
type LohaSlot = `hada_${'w1' | 'w2'}_${'a' | 'b'}` | 'hada_t1' | 'hada_t2';
type LokrSlot = `lokr_${'w1' | 'w2'}${'' | '_a' | '_b'}` | 'lokr_t2';

export interface TensorName {
  readonly component: LoraComponent;
  /** The module, with underscores for dots: `down_blocks_0_attentions_0_proj_in`; a text encoder's without `text_model_`. */
  readonly module: string;
  /** The module as the file writes it, for messages. */
  readonly written: string;
  /** The rest of the tensor's name in the file. */
  readonly ending: string;
}

const prefixes: readonly (readonly [RegExp, LoraComponent])[] = [
  [/^(lora|lycoris)_unet_/, 'unet'],
  [/^(lora|lycoris)_transformer_/, 'transformer'],
  [/^(lora|lycoris)_te1?_/, 'text_encoder'],
  [/^(lora|lycoris)_te2_/, 'text_encoder_2'],
  [/^(lora|lycoris)_te3_/, 'text_encoder_3'],
  [/^unet\./, 'unet'],
  [/^transformer\./, 'transformer'],
  [/^text_encoder\./, 'text_encoder'],
  [/^text_encoder_2\./, 'text_encoder_2'],
  [/^text_encoder_3\./, 'text_encoder_3'],
  [/^(base_model\.model\.)?(?=(down_blocks|mid_block|up_blocks)\.)/, 'unet'],
  [/^diffusion_model\.(?=(input_blocks|middle_block|output_blocks|time_embed|label_emb|out)\.)/, 'unet'],
  [/^(base_model\.model\.)?(?=text_model\.)/, 'text_encoder'],
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
  for (const [prefix, component] of prefixes) {
    const before = prefix.exec(name)?.[0];
    if (before === undefined) continue;
    for (const [pattern, slot] of endings) {
      const match = pattern.exec(name);
      if (match === null) continue;
      const written = name.slice(0, match.index);
      const module = moduleName(component, written.slice(before.length));
      return { component, module, written, ending: match[0], slot: typeof slot === 'string' ? slot : slot(match) };
    }
    const written = name.slice(0, name.lastIndexOf('.'));
    return {
      component,
      module: moduleName(component, written.slice(before.length)),
      written,
      ending: '',
      slot: undefined,
    };
  }
  return undefined;
}

/** An algorithm that is known by a tensor's name, but not read. */
export function otherAlgorithm(name: string): string | undefined {
  return others.find(([pattern]) => pattern.test(name))?.[1];
}

/** Whether the component predicts noise; the others are text encoders. */
export const predictsNoise = (component: string): boolean => component === 'unet' || component === 'transformer';

/** Old files of diffusers have a processor in an attention's name, and its layers under other names. */
function moduleName(component: LoraComponent, written: string): string {
  const flat = written.replace(/\.processor(?=\.)/, '').replaceAll('.', '_');
  const layers = predictsNoise(component) ? noiseAttention : textAttention;
  const renamed = flat.replace(/to_(q|k|v|out)$/, (layer) => layers[layer] ?? layer);
  return predictsNoise(component) ? renamed : renamed.replace(/^text_model_/, '');
}
