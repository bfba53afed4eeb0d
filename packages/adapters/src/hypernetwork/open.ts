import { hypernetwork } from '@sd/adapters';
import { openPickle } from '@sd/weights';
import type { Adapter } from '../adapter.js';
import type { AdapterFile } from '../open.js';

export async function openHypernetwork({ source, path, name }: AdapterFile): Promise<Adapter> {
  const { value } = await openPickle(source, path);
  const unet = hypernetwork(name, path, value);
  return { name, kind: 'hypernetwork', unet, check: unet.check };
}
