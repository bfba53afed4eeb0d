import { SdError } from '@sd/core';
import { shapeMatching, type WeightsFile } from '@sd/weights';
import type { AdapterFinding, AdapterKind } from '../adapter.js';
import type { ModelFamily } from '../family.js';
import { originOf } from './family.js';
import { readModules } from './modules.js';
import { isLoraTensor } from './names.js';

/** Changes of low rank to the matrices of a model: LoRA, LoCon, LoHa, LoKr, DoRA. */
export const lora: AdapterKind = {
  name: 'lora',
  usage: 'attach() adds it to a loaded model, with a strength.',
  distils: true,
  folder: { files: ['pytorch_lora_weights.safetensors', 'pytorch_lora_weights.bin', 'adapter_model.safetensors'] },
  detect(file, families) {
    if (shapeMatching(file.tensors, isLoraTensor) === undefined) return undefined;
    const layout = layoutOf([...file.tensors.keys()]);
    try {
      return { layout, ...contentsOf(file, families) };
    } catch (error) {
      if (!SdError.isInstance(error)) throw error;
      return { layout, usage: `It cannot be attached: ${error.message}` };
    }
  },
  open: async (file, context) => (await import('./open.js')).openLoraAdapter(file, context),
};

function layoutOf(names: readonly string[]): string {
  if (names.some((name) => /^(lora|lycoris)_/.test(name))) return 'kohya';
  return names.some((name) => /\.lora_[AB](\.|$)/.test(name)) ? 'PEFT' : 'diffusers';
}

function contentsOf(
  { path, tensors, metadata }: WeightsFile,
  families: readonly ModelFamily[],
): Pick<AdapterFinding, 'family' | 'details'> {
  const { modules } = readModules(path, tensors);
  const ranks = modules.map(
    (module) =>
      (module.tensors.get('down') ?? module.tensors.get('hada_w1_b') ?? module.tensors.get('lokr_w2_b'))?.shape[0],
  );
  const isDora = modules.some((module) => module.tensors.has('dora_scale') || module.tensors.has('magnitude'));
  return {
    family: originOf(modules, metadata, families).family,
    details: {
      algorithms: [...new Set(modules.map(({ algorithm }) => algorithm)), ...(isDora ? ['dora'] : [])],
      modules: modules.length,
      ranks: [...new Set(ranks.filter((rank) => rank !== undefined))].sort((a, b) => a - b),
      components: [...new Set(modules.map(({ component }) => component))],
      convolutions: modules.some((module) => (module.tensors.get('down')?.shape.length ?? 0) === 4),
    },
  };
}
