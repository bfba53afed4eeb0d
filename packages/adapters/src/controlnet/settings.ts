import { flag, type OptionTable } from '@sd/core/options';
import { type ControlSettings, controlImageRow, imageStrengthOptions } from '../image-settings.js';

/** An image that a ControlNet holds the drawing to, or a list of such settings. */
export interface ControlNetSettings extends ControlSettings {
  /** Lets the ControlNet recognise the image without a prompt; a guidance scale of 3 to 5 goes with it. */
  readonly guess?: boolean | undefined;
}

export const controlNetOptions: OptionTable<ControlNetSettings> = {
  image: controlImageRow,
  ...imageStrengthOptions,
  guess: {
    ...flag,
    default: 'false',
    text: 'Lets the ControlNet recognise the image without a prompt; use a guidance scale of 3 to 5 with it.',
  },
};
