import type { Source } from '@sd/core';
import { hasFile, readConfig } from '@sd/weights';
import type { ExportedStages, ModelSource } from '../model-source.js';

/** What SDXL's latents are multiplied with. */
const sdxlScaling = 0.13025;

/**
 * A folder whose models were exported to ONNX, by optimum, diffusers' script or Olive. Its index may be that of the
 * checkpoint, with parts that are not there, or one of runtimes; its parts may have configs or none.
 */
export async function withExported(model: ModelSource): Promise<ModelSource> {
  const { files } = model;
  const texts = await present(files, ['text_encoder/model.onnx', 'text_encoder_2/model.onnx']);
  const parts = [...texts.map(folderOf), 'unet', 'vae', 'vae_encoder', 'vae_decoder'];
  const encoder = await hasFile(files, 'vae_encoder/model.onnx');
  const scalingFactor = parts.includes('text_encoder_2') ? sdxlScaling : undefined;
  const stages: ExportedStages = {
    ...Object.fromEntries(texts.map((path) => [folderOf(path), textEncoderIn(files, folderOf(path))])),
    async unet(backend) {
      const { loadOnnxUnet } = await import('@sd/unet/onnx');
      const sampleSize = await usualSize(files);
      return loadOnnxUnet({ backend, source: files, ...(sampleSize !== undefined && { sampleSize }) });
    },
    async vae(backend) {
      const { loadOnnxVae } = await import('@sd/vae/onnx');
      return loadOnnxVae({ backend, source: files, ...(scalingFactor !== undefined && { scalingFactor }) });
    },
  };
  const without = {
    code: 'no-vae-encoder',
    message: 'vae_encoder/model.onnx does not exist: no run can start from a picture.',
  };
  return { ...model, exported: { parts, stages }, warnings: [...model.warnings, ...(encoder ? [] : [without])] };
}

function textEncoderIn(source: Source, folder: string): NonNullable<ExportedStages['text_encoder']> {
  return async (backend) => {
    const { loadOnnxTextEncoder } = await import('@sd/text-encoder/onnx');
    return loadOnnxTextEncoder({ backend, source, folder });
  };
}

/** Models that predict velocities are those of Stable Diffusion 2 for 768 pixels. */
async function usualSize(source: Source): Promise<number | undefined> {
  const file = 'scheduler/scheduler_config.json';
  if (!(await hasFile(source, file))) return undefined;
  return (await readConfig(source, file)).get('prediction_type') === 'v_prediction' ? 96 : undefined;
}

async function present(source: Source, paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(paths.map((path) => hasFile(source, path)));
  return paths.filter((_, i) => there[i]);
}

function folderOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}
