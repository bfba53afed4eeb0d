import type { OptionTable } from '@sd/core/options';
import { type ControlSettings, controlImageRow, imageStrengthOptions } from '../image-settings.js';

/** An image that a T2I-Adapter holds the drawing to, or a list of such settings. */
export type T2iAdapterSettings = ControlSettings;

export const t2iAdapterOptions: OptionTable<T2iAdapterSettings> = { image: controlImageRow, ...imageStrengthOptions };
