import type { Source } from '@sd/core';
import { hasFile } from '@sd/weights';

/** Is a folder's U-Net there as an ONNX model, and not as the checkpoint that it was made from? */
export async function isExported(source: Source): Promise<boolean> {
  if (!(await hasFile(source, 'unet/model.onnx'))) return false;
  const endings = ['.safetensors', '.fp16.safetensors', '.safetensors.index.json', '.bin'];
  const there = await Promise.all(endings.map((ending) => hasFile(source, `unet/diffusion_pytorch_model${ending}`)));
  return !there.includes(true);
}
