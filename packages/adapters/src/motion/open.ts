import { loadMotionAdapter } from '@sd/adapters';
import { InvalidOptionError } from '@sd/core';
import { openMotionFile } from '../../load/single-file/motion.js';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { unetConfigOf } from './checkpoint-unet.js';
import { unusedTensors } from './unused.js';

export async function openMotionAdapter(file: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const { source, path, name } = file;
  const other = context.adapters.find(({ kind }) => kind === 'motion-adapter');
  if (other !== undefined) {
    throw new InvalidOptionError(
      'attach',
      `is for one motion adapter at a time: detach ${JSON.stringify(other.name)} first.`,
    );
  }
  const model = path === '' ? { source, folder: '' } : await openMotionFile(file);
  const { config, extension, unusedTensors: left } = await loadMotionAdapter({ ...model, unet: unetConfigOf(context) });
  return {
    name,
    kind: 'motion-adapter',
    unet: extension,
    maxFrames: config.maxFrames,
    warnings: () => unusedTensors(left()),
  };
}
