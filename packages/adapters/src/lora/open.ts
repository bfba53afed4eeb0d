import { openLora } from '@sd/adapters';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { unused, unusedTensors } from './unused.js';

export async function openLoraFile({ source, path, name }: AdapterFile, { stages }: AdapterContext): Promise<Adapter> {
  const lora = await openLora(source, path, { name });
  lora.expectParts(Object.entries(stages).flatMap(([part, stage]) => (stage === undefined ? [] : part)));
  const { unet, textEncoder, textEncoder2, check } = lora;
  return {
    name,
    kind: 'lora',
    check,
    warnings: () => [
      ...unusedTensors(lora.unusedTensors),
      ...unused('unmatched-modules', 'The model has no layer for modules of the LoRA', lora.unmatched()),
    ],
    ...(unet && { unet }),
    ...(textEncoder && { textEncoder }),
    ...(textEncoder2 && { textEncoder2 }),
  };
}
