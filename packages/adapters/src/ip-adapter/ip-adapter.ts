import {
  type Backend,
  barrier,
  CheckpointError,
  expectTensor,
  type ImageEncoder,
  lazySession,
  type StageResources,
  stack,
  type Tensor,
  tensor,
} from '@sd/core';
import type { UnetConfig, UnetExtension } from '@sd/unet';
import type { WeightsFile } from '@sd/weights';
import type { ModelFamily } from '../family.js';
import { imageAttention } from './attention-extension.js';
import { imageProjectionGraph } from './image-projection.js';
import { type IpAdapterKind, readIpAdapter } from './read.js';

export interface LoadIpAdapterOptions {
  /** Its name among what is added to one U-Net, which its inputs have in theirs: `strength.style`. */
  readonly name: string;
  readonly file: WeightsFile;
  /** Where the projection from images to tokens runs. */
  readonly backend: Backend;
  /** The U-Net that it is to be added to. */
  readonly unet: UnetConfig;
  /** For messages that name another model's family. */
  readonly families?: readonly ModelFamily[];
}

/** Images as tokens, for a U-Net with an IP-Adapter. */
export interface ImagePrompt {
  /** For the prompt: [tokens, width]. */
  readonly positive: Tensor<'float32'>;
  /** For the negative prompt, which gets no image: [tokens, width]. */
  readonly negative: Tensor<'float32'>;
}

/** An IP-Adapter: its extension of a U-Net, and how images become its tokens. */
export interface IpAdapter extends StageResources {
  readonly kind: IpAdapterKind;
  /** Width of its input from the image encoder: embeddings for a plain adapter, hidden states for the others. */
  readonly imageWidth: number;
  readonly extension: UnetExtension;
  /**
   * Images prepared for the encoder, [n, 3, height, width], as one prompt: their tokens one after the other. The negative
   * prompt gets the tokens of a zero embedding, or of an image of zeros, as in diffusers. Throws a TensorError
   * where the encoder's vectors are not as wide as the adapter's: it is another encoder than it was trained with.
   */
  prompt(
    encoder: ImageEncoder,
    pixels: Tensor<'float32'>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ImagePrompt>;
}

/**
 * Opens an IP-Adapter and writes the graph of its projection; nothing is loaded before the first prompt. Throws
 * SourceError, UnsupportedError for one that sees faces, and a CheckpointError for a broken file or one of another family,
 * which names the first tensor that does not fit.
 */
export function loadIpAdapter(options: LoadIpAdapterOptions): Promise<IpAdapter> {
  return barrier('loadIpAdapter()', () => load(options));
}

async function load(options: LoadIpAdapterOptions): Promise<IpAdapter> {
  const { name, backend, unet, families = [] } = options;
  const { path } = options.file;
  await backend.ready?.();
  const file = readIpAdapter(options.file);
  const extension = imageAttention(name, file, unet, families);
  const { model, width, tokenWidth } = imageProjectionGraph(file, backend);
  if (tokenWidth !== unet.levels[0].contextWidth) {
    throw new CheckpointError(
      'bad-checkpoint',
      path,
      `its projection gives tokens of ${tokenWidth} values, but its attentions take ${unet.levels[0].contextWidth}.`,
    );
  }
  const session = lazySession(backend, model);
  const rows = file.kind === 'plain' ? [width] : [-1, width];

  /** Inputs of the projection, one after the other, to all their tokens in one row. */
  const tokensOf = async (inputs: readonly Tensor<'float32'>[], signal?: AbortSignal): Promise<Tensor<'float32'>> => {
    for (const input of inputs) {
      expectTensor(`What the image encoder gives ${path}, a ${file.kind} IP-Adapter,`, input, 'float32', rows);
    }
    const { image_tokens } = await session.run({ image: stack(inputs) }, { signal });
    const { data, dims } = image_tokens as Tensor<'float32'>;
    return tensor('float32', [dims[0] * dims[1], dims[2]], data);
  };

  return {
    kind: file.kind,
    imageWidth: width,
    extension,
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async prompt(encoder, pixels, { signal } = {}) {
      expectTensor('Images for an image prompt', pixels, 'float32', [-1, 3, -1, -1]);
      const seen = await encoder.encode(pixels, { signal });
      const part = file.kind === 'plain' ? 'embedding' : 'hidden';
      const positive = seen.map((one) => one[part]);
      const nothing =
        part === 'embedding'
          ? tensor('float32', positive[0].dims)
          : (await encoder.encode(tensor('float32', [1, ...pixels.dims.slice(1)]), { signal }))[0].hidden;
      return {
        positive: await tokensOf(positive, signal),
        negative: await tokensOf(
          positive.map(() => nothing),
          signal,
        ),
      };
    },
  };
}
