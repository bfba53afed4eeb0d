import { expect, test } from 'vitest';
import { encodePng, readParameters } from '../src/index.js';
import { addChunk } from './png-chunk.js';

const image = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255) };
const read = async (keyword: string, graph: unknown) =>
  readParameters(
    addChunk(await encodePng(image), 'tEXt', [
      ...Buffer.from(`${keyword}\0${typeof graph === 'string' ? graph : JSON.stringify(graph)}`),
    ]),
  );

/** ComfyUI's default graph, with a LoRA and a second pass. */
const prompt = {
  '3': {
    class_type: 'KSampler',
    inputs: {
      seed: 156680208700286,
      steps: 20,
      cfg: 8,
      sampler_name: 'dpmpp_2m',
      scheduler: 'karras',
      denoise: 1,
      model: ['10', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'SD1\\v1-5-pruned-emaonly.safetensors' } },
  '5': { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 768, batch_size: 1 } },
  '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a glass bottle', clip: ['4', 1] } },
  '7': { class_type: 'CLIPTextEncode', inputs: { text: 'watermark', clip: ['4', 1] } },
  '8': { class_type: 'VAEDecode', inputs: { samples: ['11', 0], vae: ['4', 2] } },
  '9': { class_type: 'SaveImage', inputs: { images: ['8', 0] } },
  '10': { class_type: 'LoraLoader', inputs: { lora_name: 'x.safetensors', model: ['4', 0] } },
  '11': {
    class_type: 'KSampler',
    inputs: {
      seed: 1,
      steps: 5,
      cfg: 3,
      denoise: 0.5,
      sampler_name: 'euler',
      scheduler: 'normal',
      model: ['10', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['3', 0],
    },
  },
};
const expected = {
  prompt: 'a glass bottle',
  negativePrompt: 'watermark',
  settings: {
    Steps: '20',
    Sampler: 'dpmpp_2m',
    'Schedule type': 'karras',
    'CFG scale': '8',
    Seed: '156680208700286',
    Size: '512x768',
    Model: 'v1-5-pruned-emaonly',
  },
};

test('the first sampler of a graph for the API', async () => {
  expect(await read('prompt', prompt)).toEqual(expected);
  const withNaN = JSON.stringify(prompt).replace('"batch_size":1', '"batch_size":1,"is_changed":[NaN]');
  expect(await read('prompt', withNaN)).toEqual(expected);
});

test('ControlNets have two outputs; texts and seeds come from nodes', async () => {
  const graph = {
    ...prompt,
    '20': {
      class_type: 'ControlNetApplyAdvanced',
      inputs: { positive: ['6', 0], negative: ['7', 0], image: ['x', 0], strength: 1 },
    },
    '21': { class_type: 'PrimitiveInt', inputs: { value: 99 } },
    '22': { class_type: 'PrimitiveString', inputs: { value: 'a lake' } },
    '6': { class_type: 'CLIPTextEncode', inputs: { text: ['22', 0] } },
    '3': {
      class_type: 'KSampler',
      inputs: { ...prompt['3'].inputs, seed: ['21', 0], positive: ['20', 0], negative: ['20', 1] },
    },
  };
  expect(await read('prompt', graph)).toEqual({
    ...expected,
    prompt: 'a lake',
    settings: { ...expected.settings, Seed: '99' },
  });
});

test('a sampler of parts, as for Stable Diffusion 3', async () => {
  const graph = {
    '1': {
      class_type: 'SamplerCustomAdvanced',
      inputs: { noise: ['2', 0], guider: ['3', 0], sampler: ['4', 0], sigmas: ['5', 0], latent_image: ['6', 0] },
    },
    '2': { class_type: 'RandomNoise', inputs: { noise_seed: 5 } },
    '3': { class_type: 'CFGGuider', inputs: { cfg: 4.5, positive: ['7', 0], negative: ['8', 0], model: ['9', 0] } },
    '4': { class_type: 'KSamplerSelect', inputs: { sampler_name: 'euler' } },
    '5': { class_type: 'BasicScheduler', inputs: { scheduler: 'simple', steps: 28, denoise: 1, model: ['9', 0] } },
    '6': { class_type: 'EmptySD3LatentImage', inputs: { width: 1024, height: 1024, batch_size: 1 } },
    '7': { class_type: 'CLIPTextEncode', inputs: { text: 'a fox' } },
    '8': { class_type: 'CLIPTextEncode', inputs: { text: '' } },
    '9': { class_type: 'UNETLoader', inputs: { unet_name: 'sd3.5_medium.safetensors' } },
  };
  expect(await read('prompt', graph)).toEqual({
    prompt: 'a fox',
    negativePrompt: '',
    settings: {
      Steps: '28',
      Sampler: 'euler',
      'Schedule type': 'simple',
      'CFG scale': '4.5',
      Seed: '5',
      Size: '1024x1024',
      Model: 'sd3.5_medium',
    },
  });
});

test('the graph of the editor, where there is no other', async () => {
  const nodes = [
    {
      id: 3,
      type: 'KSampler',
      widgets_values: [156680208700286, 'randomize', 20, 8, 'dpmpp_2m', 'karras', 1],
      inputs: [
        { name: 'model', link: 1 },
        { name: 'positive', link: 4 },
        { name: 'negative', link: 6 },
        { name: 'latent_image', link: 2 },
      ],
    },
    { id: 4, type: 'CheckpointLoaderSimple', widgets_values: ['v1-5-pruned-emaonly.safetensors'], inputs: [] },
    { id: 5, type: 'EmptyLatentImage', widgets_values: [512, 768, 1], inputs: [] },
    { id: 6, type: 'CLIPTextEncode', widgets_values: ['a glass bottle'], inputs: [{ name: 'clip', link: 3 }] },
    { id: 7, type: 'CLIPTextEncode', widgets_values: ['watermark'], inputs: [{ name: 'clip', link: 5 }] },
  ];
  const links = [
    [1, 4, 0, 3, 0, 'MODEL'],
    [2, 5, 0, 3, 3, 'LATENT'],
    [4, 6, 0, 3, 1, 'CONDITIONING'],
    [6, 7, 0, 3, 2, 'CONDITIONING'],
  ];
  expect(await read('workflow', { nodes, links })).toEqual(expected);
});

test.each([
  ['no JSON', 'prompt', '{'],
  ['another value', 'prompt', '[1]'],
  ['no nodes', 'workflow', '{}'],
  ['no sampler', 'prompt', { '1': { class_type: 'A', inputs: {} } }],
])('%s: no settings', async (_, keyword, graph) => {
  expect(await read(keyword, graph)).toBeUndefined();
});

test('a graph in circles ends', async () => {
  const inputs = { latent_image: ['1', 0], positive: ['2', 0], model: ['1', 0], seed: ['1', 0] };
  const graph = {
    '1': { class_type: 'KSampler', inputs },
    '2': { class_type: 'B', inputs: { conditioning: ['2', 0] } },
  };
  expect(await read('prompt', graph)).toEqual({ prompt: '', negativePrompt: '', settings: {} });
});
