import type { OptionTable } from '@sd/core/options';
import type { ImageInput } from '@sd/image';
import { type ImageStrengthSettings, imageStrengthOptions } from '../image-settings.js';

/** Images that an IP-Adapter shows to the model as a prompt. */
export interface IpAdapterSettings extends ImageStrengthSettings {
  /** An image prompt, or several that act together. */
  readonly image: ImageInput | readonly ImageInput[];
}

export const ipAdapterOptions: OptionTable<IpAdapterSettings> = {
  image: { type: 'ImageInput | ImageInput[]', text: 'An image, or several that act together.' },
  ...imageStrengthOptions,
};
