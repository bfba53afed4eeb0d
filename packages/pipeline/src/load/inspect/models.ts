import { familyOfContext } from '@sd/adapters';
import { shapeMatching, type WeightsFile } from '@sd/weights';
import type { Family, SplitFile } from '../../families/family.js';
import { families } from '../../families/index.js';
import { recogniseFile } from '../single-file/split.js';
import type { Finding } from './inspection.js';

/** A whole model, or a component of one. */
export function findModel(file: WeightsFile): Finding | undefined {
  const { family, split } = recogniseFile(file.path, file.tensors);
  if (family !== undefined) return describeModel(file, family, split);
  const { vae, text_encoder: textEncoder } = split.components;
  if (vae !== undefined) {
    return {
      kind: 'vae',
      layout: file.tensors.has('decoder.up_blocks.0.resnets.0.conv1.weight') ? 'diffusers' : 'original',
      details: { latentChannels: vae.get('decoder.conv_in.weight')?.shape[1] },
    };
  }
  if (textEncoder !== undefined) {
    const width = textEncoder.get('embeddings.token_embedding.weight')?.shape[1];
    const family = familyOfContext(families, width)?.id;
    return { kind: 'text-encoder', layout: 'transformers', details: { width }, family };
  }
  return findComponent(file);
}

function describeModel({ tensors }: WeightsFile, family: Family, split: SplitFile): Finding {
  const components = Object.keys(split.components);
  const { name } = family.noisePredictor;
  // In the original layout, a file has its noise predictor under other names.
  const [first = ''] = split.components[name]?.keys() ?? [];
  return {
    kind: components.length > 1 ? 'pipeline' : name,
    family: family.id,
    layout: tensors.has(first) ? 'diffusers' : 'original',
    details: { ...family.file.details(split), parts: components, title: family.title },
    canDo: refusal(() => family.file.refuse?.(split)),
  };
}

function findComponent({ tensors }: WeightsFile): Finding | undefined {
  const tiny = /^((encoder|decoder)\.layers\.)?\d+\.conv\.0\.weight$/;
  if (shapeMatching(tensors, tiny) !== undefined) {
    const isDiffusers = shapeMatching(tensors, /^(encoder|decoder)\.layers\./) !== undefined;
    return { kind: 'vae', layout: isDiffusers ? 'diffusers' : 'original', details: { tiny: true } };
  }
  const vision = shapeMatching(tensors, /(^|\.)embeddings\.patch_embedding\.weight$/);
  if (vision === undefined) return undefined;
  return { kind: 'image-encoder', layout: 'transformers', details: { width: vision[0], patch: vision[2] } };
}

/** A sentence with the error that `check` throws; undefined if it throws none. */
function refusal(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return `It cannot be loaded: ${(error as Error).message}`;
  }
}
