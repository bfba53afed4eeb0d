import {
  type ClipTextFacts,
  clipTextConfigFromShapes,
  clipTextNames,
  loadTextEncoder,
  openClipTensors,
} from '@sd/text-encoder';
import { type Config, renameTensors } from '@sd/weights';
import { clipVocabulary } from './clip-vocabulary.js';
import type { FilePart, Json, Tensors, TextEncoderComponent } from './family.js';

/** What is particular to one CLIP text encoder of a family. */
export interface ClipRole {
  /** diffusers' names of it and of its tokenizer. */
  readonly name: string;
  readonly tokenizer: string;
  readonly output: TextEncoderComponent['output'];
  readonly facts: ClipTextFacts;
  /** The classes that it may be of; that of `facts` by default. */
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
    load: loadTextEncoder,
    async loadOnnx({ folder = name, ...from }) {
      return (await import('@sd/text-encoder/onnx')).loadOnnxTextEncoder({ ...from, folder });
    },
    // Its library is large, and an app may bring a tokenizer of its own.
    loadTokenizer: async (source, folder) => (await import('@sd/tokenizer')).loadTokenizer(source, folder),
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

/** The tensors without the layers and the projection that the config leaves out: the original files of SD 2 have them. */
function usedTensors(tensors: Tensors, config: Config): Tensors {
  const layers = config.number('num_hidden_layers', 12);
  const projected = JSON.stringify(config.get('architectures') ?? '').includes('WithProjection');
  return new Map(
    [...tensors].filter(([name]) => {
      const [, layer] = /^encoder\.layers\.(\d+)\./.exec(name) ?? [];
      return (layer === undefined || Number(layer) < layers) && (projected || name !== 'text_projection.weight');
    }),
  );
}

/** CLIP ViT-L/14 of OpenAI, which SD 1, the first encoder of SDXL and that of SD 3 are. */
export const clipL: ClipTextFacts = {
  class: 'CLIPTextModel',
  settings: { hidden_act: 'quick_gelu', layer_norm_eps: 1e-5, eos_token_id: 2 },
  unusedLayers: 0,
};

const openClipSettings: Json = { ...clipL.settings, hidden_act: 'gelu' };

/** OpenCLIP ViT-H/14, which SD 2 was trained on without its last layer. */
export const clipH: ClipTextFacts = { class: 'CLIPTextModel', settings: openClipSettings, unusedLayers: 1 };

/** OpenCLIP ViT-bigG/14, the second encoder of SDXL and of SD 3. */
export const clipG: ClipTextFacts = {
  class: 'CLIPTextModelWithProjection',
  settings: openClipSettings,
  unusedLayers: 0,
};

/** Where a CLIP text model stands in a file under the names of transformers. */
export const clipPart = (mark: string, component: string): FilePart => ({
  mark,
  component,
  translate: (path, tensors) => renameTensors(path, tensors, clipTextNames),
});

/** Where a CLIP text model stands in a file under the names of OpenCLIP. */
export const openClipPart = (mark: string, component: string): FilePart => ({
  mark,
  component,
  translate: (_, tensors) => openClipTensors(tensors),
});
