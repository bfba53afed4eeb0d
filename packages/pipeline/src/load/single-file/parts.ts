import { clipTextNames, openClipTensors } from '@sd/text-encoder';
import { originalUnetNames } from '@sd/unet';
import { originalVaeNames, vaeNames } from '@sd/vae';
import { renameTensors, type TensorView } from '@sd/weights';

export type Tensors = ReadonlyMap<string, TensorView>;

export type Part = 'unet' | 'vae' | 'text_encoder' | 'text_encoder_2';

/** A file's tensors by the part of the model that they are of, under diffusers' names. */
export interface Parts {
  readonly tensors: Readonly<Partial<Record<Part, Tensors>>>;
  /** Names of the tensors that are of no part. */
  readonly spare: readonly string[];
}

type Translate = (path: string, tensors: Tensors) => Tensors;

const unet: Translate = (path, tensors) =>
  tensors.has('conv_in.weight') ? tensors : renameTensors(path, tensors, originalUnetNames(tensors.keys()));
const vae: Translate = (path, tensors) => {
  const named = renameTensors(path, tensors, originalVaeNames(tensors.keys()));
  return renameTensors(path, named, vaeNames);
};
const clip: Translate = (path, tensors) => renameTensors(path, tensors, clipTextNames);
const openClip: Translate = (_, tensors) => openClipTensors(tensors);

/** Where each part stands in a file of the original layout. */
const prefixes: readonly (readonly [prefix: string, part: Part, translate: Translate])[] = [
  ['model.diffusion_model.', 'unet', unet],
  ['first_stage_model.', 'vae', vae],
  ['cond_stage_model.transformer.', 'text_encoder', clip],
  ['cond_stage_model.model.', 'text_encoder', openClip],
  ['conditioner.embedders.0.transformer.', 'text_encoder', clip],
  ['conditioner.embedders.0.model.', 'text_encoder_2', openClip],
  ['conditioner.embedders.1.model.', 'text_encoder_2', openClip],
];

/** Tensors of a part that a file consists of alone, without a prefix: one of these names says which. */
const alone: readonly (readonly [name: string, part: Part, translate: Translate])[] = [
  ['input_blocks.0.0.weight', 'unet', unet],
  ['down_blocks.0.resnets.0.time_emb_proj.weight', 'unet', unet],
  ['decoder.up.0.block.0.conv1.weight', 'vae', vae],
  ['decoder.up_blocks.0.resnets.0.conv1.weight', 'vae', vae],
  ['text_model.embeddings.token_embedding.weight', 'text_encoder', clip],
];

/** What training leaves in a file: buffers of the noise schedule, averaged weights, the autoencoder's loss. */
const leftOver =
  /^(model_ema\.|loss\.|(first_stage_model|cond_stage_model)\.loss\.|betas$|alphas_cumprod|sqrt_|log_one_minus|posterior_|logvar$|denoiser\.sigmas$|v_pred$|ztsnr$|global_step$|conditioner\.embedders\.\d\.logit_scale$|cond_stage_model\.logit_scale$)/;

/** Sorts a file's tensors into parts. Throws a CheckpointError where two have one name. */
export function splitParts(path: string, tensors: Tensors): Parts {
  const found: Partial<Record<Part, Tensors>> = {};
  const spare: string[] = [];
  const own = new Map<string, Map<string, TensorView>>();
  for (const [name, view] of tensors) {
    if (leftOver.test(name)) continue;
    const [prefix] = prefixes.find(([start]) => name.startsWith(start)) ?? [];
    if (prefix === undefined) spare.push(name);
    else own.set(prefix, (own.get(prefix) ?? new Map()).set(name.slice(prefix.length), view));
  }
  for (const [prefix, part, translate] of prefixes) {
    const members = own.get(prefix);
    if (members !== undefined) found[part] = translate(path, members);
  }
  const whole = own.size === 0 ? alone.find(([name]) => tensors.has(name)) : undefined;
  if (whole === undefined) return { tensors: found, spare };
  const [, part, translate] = whole;
  const members = new Map([...tensors].filter(([name]) => !leftOver.test(name)));
  return { tensors: { [part]: translate(path, members) }, spare: [] };
}
