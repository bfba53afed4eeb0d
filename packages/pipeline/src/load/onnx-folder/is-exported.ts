import { type Source, settleAll } from '@sd/core';
import { hasFile } from '@sd/weights';

/** Whether a folder has its U-Net as an ONNX model, without the checkpoint that it was exported from. */
export async function isExportedFolder(source: Source): Promise<boolean> {
  if (!(await hasFile(source, 'unet/model.onnx'))) return false;
  const endings = ['.safetensors', '.fp16.safetensors', '.safetensors.index.json', '.bin'];
  const found = await settleAll(
    endings.map((ending) => () => hasFile(source, `unet/diffusion_pytorch_model${ending}`)),
  );
  return !found.includes(true);
}
