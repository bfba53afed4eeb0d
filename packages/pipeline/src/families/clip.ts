import { lazyImport } from '@sd/core';
import {
  type ClipTextFacts,
  clipTextConfigFromShapes,
  clipTextNames,
  openClipTensors,
} from '@sd/text-encoder/single-file';
import { type Config, renameTensors } from '@sd/weights';
import { clipVocabulary } from './clip-vocabulary.js';
import type { FilePart, Json, Tensors, TextEncoderComponent } from './family.js';

/** What distinguishes one CLIP text encoder of a family from others. */
export interface ClipRole {
  /** Its name in diffusers. */
  readonly name: string;
  /** Its tokenizer's name in diffusers. */
  readonly tokenizer: string;
  readonly output: TextEncoderComponent['output'];
  readonly facts: ClipTextFacts;
  /** Its possible classes in `model_index.json`; by default that of `facts`. */
  readonly classes?: readonly string[];
  /** The token that its tokenizer pads with. */
  readonly pad: string;
}

/** A CLIP text model as a component of a family. */
export function clipComponent({
  name,
  tokenizer,
  output,
  facts,
  classes = [facts.class],
  pad,
}: ClipRole): TextEncoderComponent {
  return {
    name,
    tokenizer,
    output,
    classes,
    tokenizerClasses: ['CLIPTokenizer', 'CLIPTokenizerFast'],
    load: async (from) => (await lazyImport(() => import('@sd/text-encoder'))).loadTextEncoder(from),
    async loadOnnx({ folder = name, ...from }) {
      return (await lazyImport(() => import('@sd/text-encoder/onnx'))).loadOnnxTextEncoder({ ...from, folder });
    },
    // Imported lazily: the library is large, and an app may pass another tokenizer.
    loadTokenizer: async (source, folder) =>
      (await lazyImport(() => import('@sd/tokenizer'))).loadTokenizer(source, folder),
    configFromShapes: (path, tensors) => clipTextConfigFromShapes(path, tensors, facts),
    usedTensors,
    async tokenizerFiles() {
      const { vocab, merges } = await clipVocabulary();
      const config = JSON.stringify({ model_max_length: 77, pad_token: pad });
      return new Map([
        ['vocab.json', vocab],
        ['merges.txt', merges],
        ['tokenizer_config.json', config],
      ]);
    },
  };
}

/** Drops layers and a projection that the config does not have; the original files of Stable Diffusion 2 contain them. */
function usedTensors(tensors: Tensors, config: Config): Tensors {
  const layers = config.count('num_hidden_layers', 12, { most: 1000 });
  const hasProjection = JSON.stringify(config.get('architectures') ?? '').includes('WithProjection');
  return new Map(
    [...tensors].filter(([name]) => {
      const [, layer] = /^encoder\.layers\.(\d+)\./.exec(name) ?? [];
      return (layer === undefined || Number(layer) < layers) && (hasProjection || name !== 'text_projection.weight');
    }),
  );
}

/** OpenAI's CLIP ViT-L/14: the encoder of Stable Diffusion 1, and the first one of SDXL and Stable Diffusion 3. */
export const clipL: ClipTextFacts = {
  class: 'CLIPTextModel',
  settings: { hidden_act: 'quick_gelu', layer_norm_eps: 1e-5, eos_token_id: 2 },
  unusedLayers: 0,
};

const openClipSettings: Json = { ...clipL.settings, hidden_act: 'gelu' };

/** OpenCLIP ViT-H/14, without its last layer: the encoder of Stable Diffusion 2. */
export const clipH: ClipTextFacts = { class: 'CLIPTextModel', settings: openClipSettings, unusedLayers: 1 };

/** OpenCLIP ViT-bigG/14: the second encoder of SDXL and Stable Diffusion 3. */
export const clipG: ClipTextFacts = {
  class: 'CLIPTextModelWithProjection',
  settings: openClipSettings,
  unusedLayers: 0,
};

/** A CLIP text model in a single file, under the names of transformers or of OpenCLIP. */
export const clipPart = (mark: string, component: FilePart['component']): FilePart => ({
  mark,
  component,
  translate(path, tensors) {
    const isOpenClip = tensors.has('positional_embedding');
    return isOpenClip ? openClipTensors(tensors) : renameTensors(path, tensors, clipTextNames);
  },
});
