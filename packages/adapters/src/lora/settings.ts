import { InvalidOptionError } from '@sd/core';
import { checkFinite, checkOptions, type OptionRow, type OptionTable } from '@sd/core/options';
import { strengthRow } from '../image-settings.js';
import { type Strength, strengthAt } from '../strength.js';

/** A LoRA's strengths in the components of a model: 1 where not named. */
export interface LoraStrengths {
  readonly unet?: Strength | undefined;
  readonly transformer?: Strength | undefined;
  /** Text is encoded once, before the first step. */
  readonly text_encoder?: number | undefined;
  readonly text_encoder_2?: number | undefined;
  readonly text_encoder_3?: number | undefined;
}

/** One strength, or one for each component. */
export type LoraSettings = Strength | LoraStrengths;

const textRow: Pick<OptionRow, 'type' | 'default' | 'check'> = { type: 'number', default: '1', check: checkFinite };

export const loraOptions: OptionTable<LoraStrengths> = {
  unet: { ...strengthRow, text: 'How strongly it acts on the U-Net.' },
  transformer: { ...strengthRow, text: 'How strongly it acts on the transformer.' },
  text_encoder: {
    ...textRow,
    text: 'How strongly it acts on the text encoder, which runs once, before the first step.',
  },
  text_encoder_2: { ...textRow, text: 'How strongly it acts on the second text encoder.' },
  text_encoder_3: { ...textRow, text: 'How strongly it acts on the third text encoder.' },
};

/** A LoRA's strength in each component of a model. Throws an InvalidOptionError that names the setting. */
export function readLoraSettings(
  option: string,
  settings: unknown,
  components: readonly string[],
): (component: string) => { readonly option: string; readonly strength: Strength } {
  if (typeof settings !== 'object' || settings === null) {
    const strength = settings as Strength;
    strengthAt(option, strength, 0);
    return () => ({ option, strength });
  }
  const rows = Object.entries(loraOptions).filter(([name]) => components.includes(name));
  for (const name of Object.keys(settings)) {
    if (rows.some(([component]) => component === name)) continue;
    throw new InvalidOptionError(
      `${option}.${name}`,
      `is not a component of this model that a LoRA can change. There are ${rows.map(([component]) => component).join(', ')}.`,
    );
  }
  checkOptions(settings, Object.fromEntries(rows), { of: 'a LoRA', prefix: `${option}.` });
  const strengths = settings as Readonly<Record<string, Strength | undefined>>;
  return (component) => ({ option: `${option}.${component}`, strength: strengths[component] ?? 1 });
}
