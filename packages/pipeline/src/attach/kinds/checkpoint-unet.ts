import { InvalidOptionError } from '@sd/core';
import type { UnetConfig } from '@sd/unet';
import type { AdapterContext } from '../open.js';

/** The config of the pipeline's U-Net, which an adapter must fit. Throws an InvalidOptionError for a U-Net of the caller's. */
export function unetConfigOf({ stages: { unet } }: AdapterContext): UnetConfig {
  if ('config' in unet && 'withExtensions' in unet) return unet.config as UnetConfig;
  throw new InvalidOptionError('attach', 'needs a U-Net that was loaded from a checkpoint, not one of your own.');
}
