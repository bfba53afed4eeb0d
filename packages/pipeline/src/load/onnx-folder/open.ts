import type { Source, Warning } from '@sd/core';
import { hasFile } from '@sd/weights';
import type { ModelFiles } from '../model-files.js';

/** Components that can be exported, and the file of each export. */
const exports: readonly (readonly [component: string, file: string])[] = [
  ['text_encoder', 'text_encoder/model.onnx'],
  ['text_encoder_2', 'text_encoder_2/model.onnx'],
  ['unet', 'unet/model.onnx'],
  ['vae', 'vae_decoder/model.onnx'],
];

/**
 * A folder whose models were exported to ONNX by optimum, diffusers' script or Olive. Its index may be the checkpoint's, with
 * components that do not exist here, or list ONNX runtimes; its components may lack configs.
 */
export async function withExported(model: ModelFiles): Promise<ModelFiles> {
  const { files } = model;
  const exported = new Map<string, { readonly source: Source }>();
  for (const [component, file] of exports) if (await hasFile(files, file)) exported.set(component, { source: files });
  // The index lists the halves of the VAE as components.
  for (const half of ['vae_encoder', 'vae_decoder']) exported.set(half, { source: files });
  return { ...model, exported, warnings: [...model.warnings, ...(await withoutEncoder(files))] };
}

async function withoutEncoder(files: Source): Promise<Warning[]> {
  if (await hasFile(files, 'vae_encoder/model.onnx')) return [];
  const message = 'vae_encoder/model.onnx does not exist: no run can start from an image.';
  return [{ code: 'no-vae-encoder', message }];
}
