import { type Backend, type Model, type Tensor, tensor } from '@sd/core';
import { Graph, type GraphOptions, Scope, type TensorLookup, type Value } from '@sd/graph';
import type { Checkpoint } from '@sd/weights';
import type { CheckpointVae } from './checkpoint-vae.js';
import { halvesOf } from './halves.js';
import type { TinyVaeConfig } from './tiny-vae-config.js';

export { tinyVaeConfig } from './tiny-vae-config.js';

/** The stage over diffusers' `AutoencoderTiny` (TAESD). Its encoder gives latents without a standard deviation. */
export function tinyVae(backend: Backend, checkpoint: Checkpoint, config: TinyVaeConfig): CheckpointVae {
  const { imageChannels, latentChannels, scalingFactor } = config;
  const encoder = tinyEncoderGraph(checkpoint, config, backend);
  const decoder = tinyDecoderGraph(checkpoint, config, backend);
  const lastWidth = config.decoder[config.decoder.length - 1].channels;
  const halves = halvesOf(backend, { encoder, decoder, imageChannels, latentChannels });
  return {
    config,
    unusedTensors: checkpoint.unused(),
    latentChannels,
    scaleFactor: 2 ** (config.encoder.length - 1),
    ...halves.resources,
    // A block at the image's resolution holds its input and up to three maps.
    workingBytes: (n, height, width) => 4 * n * height * width * 4 ** (config.decoder.length - 1) * 4 * lastWidth,
    decode: (latents, { signal } = {}) => halves.decode(times(latents, 1 / scalingFactor), signal),
    async encode(image, { signal } = {}) {
      const unscaled = await halves.encode(image, signal);
      return { mean: times(unscaled, scalingFactor), unscaled };
    },
  };
}

/** Input: `sample` [n, 3, h, w], -1 to 1. Output: `latent_parameters` [n, latentChannels, h / f, w / f]. */
function tinyEncoderGraph(checkpoint: TensorLookup, config: TinyVaeConfig, options?: GraphOptions): Model {
  const g = new Graph(options);
  const next = inOrder(new Scope(checkpoint).at('encoder.layers'));
  let x = g.input('sample', ['batch', config.imageChannels, 'height', 'width']);
  x = g.add(g.mul(x, g.constant([0.5])), g.constant([0.5]));
  config.encoder.forEach(({ channels, blocks }, i) => {
    x = g.conv(x, next(), channels, { stride: i === 0 ? 1 : 2 });
    for (let j = 0; j < blocks; j++) x = block(g, next(), x, channels);
  });
  g.output('latent_parameters', g.conv(x, next(), config.latentChannels));
  return g.finish('tiny_vae_encoder', { repeated: false });
}

/** Input: `latent_sample` [n, latentChannels, h, w]. Output: `sample` [n, 3, h * f, w * f]. */
function tinyDecoderGraph(checkpoint: TensorLookup, config: TinyVaeConfig, options?: GraphOptions): Model {
  const g = new Graph(options);
  const next = inOrder(new Scope(checkpoint).at('decoder.layers'));
  let x = g.input('latent_sample', ['batch', config.latentChannels, 'height', 'width']);
  x = g.mul(g.op('Tanh', [g.mul(x, g.constant([1 / 3]))], x.dims), g.constant([3]));
  x = relu(g, g.conv(x, next(), config.decoder[0].channels));
  next();
  config.decoder.forEach(({ channels, blocks }, i) => {
    const isLast = i === config.decoder.length - 1;
    for (let j = 0; j < blocks; j++) x = block(g, next(), x, channels);
    if (!isLast) {
      x = g.upsample(x);
      next();
    }
    x = g.conv(x, next(), isLast ? config.imageChannels : channels);
  });
  g.output('sample', g.add(g.mul(x, g.constant([2])), g.constant([-1])));
  return g.finish('tiny_vae_decoder', { repeated: true });
}

/** The modules of a `Sequential` in order; a module without weights takes a number too. */
function inOrder(w: Scope): () => Scope {
  let i = 0;
  return () => w.at(i++);
}

/** Three convolutions and a shortcut; diffusers' `AutoencoderTinyBlock`. */
function block(g: Graph, w: Scope, x: Value, channels: number): Value {
  const first = relu(g, g.conv(x, w.at('conv.0'), channels));
  const second = relu(g, g.conv(first, w.at('conv.2'), channels));
  return relu(g, g.add(g.conv(second, w.at('conv.4'), channels), x));
}

function relu(g: Graph, x: Value): Value {
  return g.op('Relu', [x], x.dims);
}

function times({ dims, data }: Tensor<'float32'>, factor: number): Tensor<'float32'> {
  return tensor(
    'float32',
    dims,
    data.map((value) => value * factor),
  );
}
