import { loadMotionAdapter } from '@sd/unet/adapters';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { unetConfigOf } from './checkpoint-unet.js';

export async function openMotionAdapter({ source, name }: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const { config, extension } = await loadMotionAdapter({ source, folder: '.', unet: unetConfigOf(context) });
  return { name, kind: 'motion-adapter', unet: extension, maxFrames: config.maxFrames };
}
