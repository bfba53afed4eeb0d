/** A family of models of one shape, as far as an adapter's file can tell which family it is for. */
export interface ModelFamily {
  /** `sd1`, `sdxl`. */
  readonly id: string;
  /** For messages: `Stable Diffusion 1`, `SDXL`. */
  readonly title: string;
  /** Width of the text that the noise predictor attends to: 768 in SD 1. */
  readonly contextWidth: number;
  /** Widths of its text encoders by diffusers' names: `{ text_encoder: 768, text_encoder_2: 1280 }` in SDXL. */
  readonly textWidths: Readonly<Record<string, number>>;
  /** How trainers write this family into a file's metadata: kohya's `ss_base_model_version`, `modelspec.architecture`. */
  readonly baseModel: RegExp;
}

/** The family whose noise predictor attends to text of this width. */
export function familyOfContext<Family extends ModelFamily>(
  families: readonly Family[],
  width: number | undefined,
): Family | undefined {
  return families.find(({ contextWidth }) => contextWidth === width);
}
