import { InvalidOptionError, show } from '@sd/core';
import { checkOptions } from '@sd/core/options';
import type { Adapter, AdapterFile, AttachContext } from '../adapter.js';
import { modelOf } from '../model-parts.js';
import { requireUnet } from '../requirements.js';
import { unusedTensors } from '../warnings.js';
import { clipUnet } from './clip-unet.js';
import { loadMotionAdapter } from './motion-adapter.js';
import { type MotionSettings, motionOptions } from './settings.js';
import { motionFile } from './single-file.js';

/** Opens a motion adapter: a folder, or a file in either layout. */
export async function openMotionAdapter(file: AdapterFile, context: AttachContext): Promise<Adapter> {
  const other = context.adapters.find(({ kind }) => kind === 'motion-adapter');
  if (other !== undefined) {
    throw new InvalidOptionError('attach', `is for one motion adapter at a time: detach ${show(other.name)} first.`);
  }
  const model = await modelOf(file, motionFile);
  const {
    config,
    extension,
    unusedTensors: unusedNames,
  } = await loadMotionAdapter({
    ...model,
    unet: requireUnet(context),
  });
  const { maxFrames } = config;
  return {
    name: file.name,
    kind: 'motion-adapter',
    extensions: { [context.model.noisePredictorComponent]: extension },
    use(settings = {}, option) {
      checkOptions(settings, motionOptions, { of: 'a motion adapter', prefix: `${option}.` });
      const { frames = Math.min(16, maxFrames) } = settings as MotionSettings;
      if (frames > maxFrames) {
        throw new InvalidOptionError(
          `${option}.frames`,
          `must be at most ${maxFrames}, not ${frames}: the motion adapter tells no more apart.`,
        );
      }
      return { clip: { frames, noisePredictor: (single) => clipUnet(single, frames) } };
    },
    warnings: () => unusedTensors(unusedNames()),
  };
}
