import { AbortError, expectTensor, type Tensor, tensor, type Vae } from '@sd/core';
import { type ConformanceCase, conforms, rejection, withStage } from '@sd/core/testing';

/** The requirements for every VAE stage, as cases for any test runner. */
export function vaeSuite({ create }: { create(): Promise<Vae> | Vae }): ConformanceCase[] {
  const withVae = (run: (vae: Vae) => Promise<void>) => withStage(create, run);
  return [
    ...[
      [1, 8, 8],
      [1, 6, 10],
      [2, 4, 4],
    ].map(([batch, height, width]) => ({
      name: `decodes a batch of ${batch}, ${height} x ${width}`,
      run: () =>
        withVae(async (vae) => {
          const { dims, data } = await vae.decode(waves([batch, vae.latentChannels, height, width]));
          const wanted = [batch, 3, height * vae.scaleFactor, width * vae.scaleFactor];
          conforms(String(dims) === String(wanted), `The image must be [${wanted}], not [${dims}].`);
          conforms(data.every(Number.isFinite), 'The image must be finite.');
        }),
    })),
    {
      name: 'encodes an image, if it has encode, to latents that decode to its size',
      run: () =>
        withVae(async (vae) => {
          if (vae.encode === undefined) return;
          const image = waves([1, 3, 4 * vae.scaleFactor, 6 * vae.scaleFactor]);
          const { mean, std } = await vae.encode(image);
          const wanted = [1, vae.latentChannels, 4, 6];
          expectTensor('mean', mean, 'float32', wanted);
          if (std !== undefined) {
            expectTensor('std', std, 'float32', wanted);
            conforms(
              std.data.every((value) => value >= 0),
              'std must not be negative.',
            );
          }
          const decoded = await vae.decode(mean);
          conforms(
            String(decoded.dims) === String(image.dims),
            `The mean must decode to [${image.dims}], not [${decoded.dims}].`,
          );
        }),
    },
    {
      name: 'leaves its inputs unchanged',
      run: () =>
        withVae(async (vae) => {
          const latents = waves([1, vae.latentChannels, 4, 4]);
          const before = latents.data.slice();
          await vae.decode(latents);
          const same = latents.data.length === before.length && before.every((value, i) => value === latents.data[i]);
          conforms(same, 'The latents must be neither changed nor detached.');
        }),
    },
    {
      name: 'rejects with an AbortError when aborted, and works afterwards',
      run: () =>
        withVae(async (vae) => {
          const latents = waves([1, vae.latentChannels, 4, 4]);
          const error = await rejection('An aborted run', () => vae.decode(latents, { signal: AbortSignal.abort() }));
          conforms((error as Error).name === new AbortError().name, `The error must be an AbortError, not ${error}.`);
          await vae.decode(latents);
        }),
    },
  ];
}

/** A VAE without a model: the first three latent channels are the colours, and each latent is a square of pixels. */
export function mockVae({
  latentChannels = 4,
  scaleFactor = 8,
}: {
  latentChannels?: number;
  scaleFactor?: number;
} = {}): Vae {
  return {
    latentChannels,
    scaleFactor,
    async decode({ dims: [batch, channels, height, width], data }, { signal } = {}) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      const image = tensor('float32', [batch, 3, height * scaleFactor, width * scaleFactor]);
      const [, , rows, columns] = image.dims;
      image.data.forEach((_, i) => {
        const x = Math.floor((i % columns) / scaleFactor);
        const y = Math.floor((Math.floor(i / columns) % rows) / scaleFactor);
        const colour = Math.floor(i / (columns * rows)) % 3;
        const n = Math.floor(i / (3 * columns * rows));
        image.data[i] = Math.tanh(data[((n * channels + colour) * height + y) * width + x]);
      });
      return image;
    },
  };
}

function waves(dims: readonly number[]): Tensor<'float32'> {
  const value = tensor('float32', dims);
  value.data.forEach((_, i) => {
    value.data[i] = Math.sin(1.7 * i);
  });
  return value;
}
