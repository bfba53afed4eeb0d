import { openLora } from '@sd/graph/adapters';
import type { Adapter } from '../adapter.js';
import type { AdapterFile } from '../open.js';

export async function openLoraFile({ source, path, name }: AdapterFile): Promise<Adapter> {
  const { unet, textEncoder, textEncoder2, check } = await openLora(source, path, { name });
  return {
    name,
    kind: 'lora',
    check,
    ...(unet && { unet }),
    ...(textEncoder && { textEncoder }),
    ...(textEncoder2 && { textEncoder2 }),
  };
}
