import { type FieldValues, flag, listOf, numberIn, object, text, wholeIn } from '../http/fields.js';

const whole = wholeIn(0, Number.MAX_SAFE_INTEGER);
/** -1 is random. */
const seed = wholeIn(-1, Number.MAX_SAFE_INTEGER);
const fraction = numberIn(0, 1);

/** The fields of A1111's `txt2img` and `img2img` that have an effect here. Others are ignored, as A1111 does. */
export const txt2imgFields = {
  prompt: text,
  negative_prompt: text,
  seed,
  subseed: seed,
  subseed_strength: fraction,
  sampler_name: text,
  sampler_index: text,
  scheduler: text,
  batch_size: wholeIn(1, Infinity),
  n_iter: wholeIn(1, Infinity),
  steps: wholeIn(1, Infinity),
  cfg_scale: numberIn(-100, 100),
  width: whole,
  height: whole,
  denoising_strength: fraction,
  override_settings: object,
  send_images: flag,
  enable_hr: flag,
  hr_scale: numberIn(1, 8),
  hr_upscaler: text,
  hr_second_pass_steps: whole,
  hr_resize_x: whole,
  hr_resize_y: whole,
  restore_faces: flag,
  tiling: flag,
  script_name: text,
  alwayson_scripts: object,
  refiner_checkpoint: text,
};

export const img2imgFields = {
  ...txt2imgFields,
  init_images: listOf(text),
  resize_mode: wholeIn(0, 3),
  mask: text,
  mask_blur: numberIn(0, 256),
  inpainting_fill: wholeIn(0, 3),
  inpaint_full_res: (name: string, value: unknown) => (typeof value === 'number' ? value > 0 : flag(name, value)),
  inpaint_full_res_padding: whole,
  inpainting_mask_invert: wholeIn(0, 1),
  include_init_images: flag,
};

export type Txt2imgFields = FieldValues<typeof txt2imgFields>;
export type Img2imgFields = FieldValues<typeof img2imgFields>;
