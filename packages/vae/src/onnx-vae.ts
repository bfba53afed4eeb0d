import {
  type Backend,
  barrier,
  expectTensor,
  type LatentDistribution,
  type Source,
  settleAll,
  type Tensor,
  tensor,
  UnsupportedError,
  type Vae,
} from '@sd/core';
import { Config, hasFile, readConfig } from '@sd/weights';
import { type OnnxFile, type OnnxSession, onnxSession, openOnnxFile } from '@sd/weights/onnx-file';
import { latentScaling } from './config.js';
import { type LatentSpace, latentDistribution, toAutoencoder, toUnet } from './latent-space.js';
import { fitLatentRgb, type LatentRgb, linearPreview } from './linear-preview.js';
import { vaeWorkingBytes } from './working-memory.js';

/** Channels of Stable Diffusion's autoencoders, for exports without a config. */
const usualChannels = [128, 256, 512, 512];

export interface LoadOnnxVaeOptions {
  readonly backend: Backend;
  readonly source: Source;
  /** Folders of the two halves, each with `model.onnx` and optionally `config.json`: `vae_encoder` and `vae_decoder` by default. */
  readonly encoder?: string;
  readonly decoder?: string;
  /** Factor of the latents if no config has it: 0.18215 by default, as in diffusers. */
  readonly scalingFactor?: number | undefined;
}

/** The stage over an autoencoder that was exported to ONNX. */
export interface OnnxVae extends Vae {
  readonly decoder: OnnxFile;
  /** Undefined if only the decoder was exported; `encode` then rejects. */
  readonly encoder?: OnnxFile | undefined;
}

/**
 * Opens an autoencoder exported to ONNX as an encoder and a decoder. Older exporters made encoders that sample from their
 * distribution with an internal random operator, beyond any seed; it is replaced by an input here, so that their mean and
 * standard deviation can be read as well. Half-precision decoders run one image at a time, as in diffusers, since some
 * providers compute batches wrongly. Sessions are created at first use. Throws SourceError, CheckpointError,
 * UnsupportedError.
 */
export function loadOnnxVae(options: LoadOnnxVaeOptions): Promise<OnnxVae> {
  return barrier('loadOnnxVae()', () => load(options));
}

async function load(options: LoadOnnxVaeOptions): Promise<OnnxVae> {
  const { backend, source, encoder: encoderFolder = 'vae_encoder', decoder: decoderFolder = 'vae_decoder' } = options;
  const path = `${encoderFolder}/model.onnx`;
  const [decoder, encoder] = await settleAll([
    () => openOnnxFile(source, `${decoderFolder}/model.onnx`),
    async () => ((await hasFile(source, path)) ? openOnnxFile(source, path, { noiseInputs: true }) : undefined),
  ]);
  const config = await configOf(source, [decoderFolder, encoderFolder]);
  const [latents, image] = [onlyOne(decoder, 'input'), onlyOne(decoder, 'output')];
  const decoding = onnxSession(backend, decoder, 'vae_decoder', { repeated: false });
  const encoding = encoder && openEncoder(backend, encoder);
  const size = latents.dims[1];
  const latentChannels = typeof size === 'number' ? size : config.count('latent_channels', 4, { most: 2 ** 12 });
  const space = { latentChannels, ...latentScaling(config, latentChannels, options.scalingFactor) };
  const halves = [decoding, ...(encoding === undefined ? [] : [encoding.session])];
  let rgb: Promise<LatentRgb> | undefined;

  const vae: OnnxVae = {
    decoder,
    encoder,
    latentChannels,
    scaleFactor: 2 ** (config.counts('block_out_channels', [1, 1, 1, 1]).length - 1),
    workingBytes: (...shape) =>
      vaeWorkingBytes({ channels: config.counts('block_out_channels', usualChannels), midAttention: true }, {}, shape),
    load: decoding.load,
    release: async () => void (await settleAll(halves.map((half) => half.release))),
    dispose: async () => void (await settleAll(halves.map((half) => half.dispose))),
    async decode(sample, { signal } = {}) {
      expectTensor('The VAE’s latents', sample, 'float32', [-1, latentChannels, -1, -1]);
      const n = sample.dims[0];
      const rowsPerRun = latents.type === 'float16' ? 1 : n;
      const feeds = { [latents.name]: toAutoencoder(sample, space) };
      const results = await decoding.run(n, feeds, { outputs: [image.name], rowsPerRun, signal });
      return results[image.name];
    },
    async encode(pixels, { signal } = {}) {
      if (encoding === undefined) {
        throw new UnsupportedError(
          `${path} does not exist: the model was exported without its VAE's encoder, so it cannot start from an image. Export it again with the encoder, or use another VAE.`,
        );
      }
      expectTensor('The VAE’s image', pixels, 'float32', [-1, 3, -1, -1]);
      return encoding.encode(pixels, space, signal);
    },
    async preview(sample, { signal } = {}) {
      rgb ??= fitLatentRgb(vae, { signal });
      rgb.catch(() => {
        rgb = undefined;
      });
      return linearPreview(sample, await rgb);
    },
  };
  return vae;
}

interface Encoding {
  readonly session: OnnxSession;
  encode(image: Tensor<'float32'>, space: LatentSpace, signal: AbortSignal | undefined): Promise<LatentDistribution>;
}

function openEncoder(backend: Backend, file: OnnxFile): Encoding {
  const session = onnxSession(backend, file, 'vae_encoder', { repeated: false });
  const [input, output] = [onlyOne(file, 'input'), onlyOne(file, 'output')];
  const run = async (image: Tensor<'float32'>, noise: number, signal: AbortSignal | undefined) => {
    const noises = file.noises.map(({ name }) => [name, tensor('float32', [1, 1, 1, 1], Float32Array.of(noise))]);
    const feeds = { [input.name]: image, ...Object.fromEntries(noises) };
    return (await session.run(image.dims[0], feeds, { outputs: [output.name], signal }))[output.name];
  };
  return {
    session,
    async encode(image, space, signal) {
      const first = await run(image, 0, signal);
      if (first.dims[1] === 2 * space.latentChannels) return latentDistribution(first, space);
      if (file.noises.length === 0) return toUnet(first, undefined, space);
      // Its output is mean + deviation * noise.
      const second = await run(image, 1, signal);
      const deviation = second.data.map((value, i) => value - first.data[i]);
      return toUnet(first, tensor('float32', first.dims, deviation), space);
    },
  };
}

/** The only input or output of a half, whatever its name. */
function onlyOne(file: OnnxFile, side: 'input' | 'output'): OnnxFile['inputs'][number] {
  const values = file[`${side}s`];
  if (values.length === 1 && values[0].dims.length === 4) return values[0];
  const found = values.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ');
  throw new UnsupportedError(
    `${file.path} must have one ${side} of 4 dimensions, but has ${found === '' ? 'none' : found}: it is not a half of an autoencoder.`,
  );
}

async function configOf(source: Source, folders: readonly string[]): Promise<Config> {
  for (const folder of folders) {
    const file = `${folder}/config.json`;
    if (await hasFile(source, file)) return readConfig(source, file);
  }
  return new Config(folders[0], {});
}
