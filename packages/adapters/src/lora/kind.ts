import { lazyImport, SdError } from '@sd/core';
import type { WeightsFile } from '@sd/weights';
import type { AdapterFinding, AdapterKind } from '../adapter.js';
import type { ModelFamily } from '../family.js';
import { originOf } from './family.js';
import { readModules } from './modules.js';
import { isLoraTensor } from './names.js';
import { bundledWords } from './words.js';

/** Changes to the layers of a model, most of them of low rank: LoRA, LoCon, LoHa, LoKr, DoRA, GLoRA, OFT, IA3. */
export const lora: AdapterKind = {
  name: 'lora',
  usage: 'attach() adds it to a loaded model, with a strength.',
  distils: true,
  folder: {
    files: [
      'pytorch_lora_weights.safetensors',
      'pytorch_lora_weights.bin',
      'adapter_model.safetensors',
      'adapter_model.bin',
    ],
  },
  detect(file, families) {
    if (![...file.tensors.keys()].some(isLoraTensor)) return undefined;
    const layout = layoutOf([...file.tensors.keys()]);
    try {
      return { layout, ...contentsOf(file, families) };
    } catch (error) {
      if (!SdError.isInstance(error)) throw error;
      return { layout, usage: `It cannot be attached: ${error.message}` };
    }
  },
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openLoraAdapter(file, context),
};

function layoutOf(names: readonly string[]): string {
  if (names.some((name) => /^(lora|lycoris)_/.test(name))) return 'kohya';
  if (names.some((name) => /^(diffusion_model|text_encoders)\./.test(name))) return 'ComfyUI';
  return names.some((name) => /\.lora_[AB](\.|$)/.test(name)) ? 'PEFT' : 'diffusers';
}

function contentsOf(file: WeightsFile, families: readonly ModelFamily[]): Pick<AdapterFinding, 'family' | 'details'> {
  const { path, tensors, metadata } = file;
  const { modules } = readModules(path, tensors);
  const words = [...bundledWords(file).values()];
  const ranked = ['down', 'hada_w1_b', 'lokr_w2_b', 'a2'] as const;
  const ranks = modules.flatMap((module) => ranked.flatMap((slot) => module.tensors.get(slot)?.shape[0] ?? []));
  const isDora = modules.some((module) => module.tensors.has('dora_scale') || module.tensors.has('magnitude'));
  return {
    family: originOf(modules, metadata, families).family,
    details: {
      algorithms: [...new Set(modules.map(({ algorithm }) => algorithm ?? 'full')), ...(isDora ? ['dora'] : [])],
      modules: modules.length,
      ranks: [...new Set(ranks)].sort((a, b) => a - b),
      words: words.length === 0 ? undefined : [...new Set(words.map(({ word }) => word))],
      components: [...new Set(modules.map(({ component }) => component))],
      convolutions: modules.some((module) => (module.tensors.get('down')?.shape.length ?? 0) === 4),
    },
  };
}
