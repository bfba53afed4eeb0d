import { type Tensor, tensor, torchCpu, type Vae } from '@sd/core';

/** The contributions of each latent channel to red, green and blue; the last row is added to every pixel. */
export type LatentRgb = readonly (readonly number[])[];

/** Size of the latents to fit on, in blocks per side and in latents per side of a block. */
const blocks = 8;
const blockSize = 2;

/**
 * Fits a linear map from latents to colours that approximates a VAE: decodes an image of random blocks, and solves the
 * least squares from each latent to the mean colour of its square of pixels.
 */
export async function fitLatentRgb(vae: Vae, options: { readonly signal?: AbortSignal } = {}): Promise<LatentRgb> {
  const side = blocks * blockSize;
  const latents = randomBlocks(vae.latentChannels);
  const image = await vae.decode(latents, options);
  const area = side * side;
  const unknowns = vae.latentChannels + 1;
  const normal = Array.from({ length: unknowns }, () => new Array<number>(unknowns + 3).fill(0));
  for (let position = 0; position < area; position++) {
    const known = Array.from({ length: unknowns }, (_, c) =>
      c < vae.latentChannels ? latents.data[c * area + position] : 1,
    );
    const colours = [0, 1, 2].map((colour) => meanOfSquare(image, colour, position, side));
    for (let row = 0; row < unknowns; row++) {
      [...known, ...colours].forEach((value, column) => {
        normal[row][column] += known[row] * value;
      });
    }
  }
  return solve(normal);
}

/** Maps latents [n, c, h, w] linearly to an image [n, 3, h, w]. */
export function linearPreview(latents: Tensor<'float32'>, map: LatentRgb): Tensor<'float32'> {
  const [batch, channels, height, width] = latents.dims;
  const area = height * width;
  const image = tensor('float32', [batch, 3, height, width]);
  for (let n = 0; n < batch; n++) {
    for (let colour = 0; colour < 3; colour++) {
      for (let position = 0; position < area; position++) {
        let value = map[channels][colour];
        for (let c = 0; c < channels; c++) value += map[c][colour] * latents.data[(n * channels + c) * area + position];
        image.data[(n * 3 + colour) * area + position] = value;
      }
    }
  }
  return image;
}

/** Normal noise with one value per block of latents: images are smooth, and so are the latents that a VAE was trained on. */
function randomBlocks(channels: number): Tensor<'float32'> {
  const side = blocks * blockSize;
  const noise = torchCpu(0).randn(channels * blocks * blocks);
  const latents = tensor('float32', [1, channels, side, side]);
  latents.data.forEach((_, i) => {
    const [x, y, c] = [i % side, Math.floor(i / side) % side, Math.floor(i / (side * side))];
    latents.data[i] = noise[(c * blocks + Math.floor(y / blockSize)) * blocks + Math.floor(x / blockSize)];
  });
  return latents;
}

function meanOfSquare({ dims, data }: Tensor<'float32'>, colour: number, position: number, side: number): number {
  const [, , height, width] = dims;
  const factor = width / side;
  const [left, top] = [(position % side) * factor, Math.floor(position / side) * factor];
  let sum = 0;
  for (let y = top; y < top + factor; y++) {
    for (let x = left; x < left + factor; x++) sum += data[(colour * height + y) * width + x];
  }
  return sum / (factor * factor);
}

/** Gauss-Jordan elimination with pivoting on rows [matrix | right-hand sides]; returns the solutions. */
function solve(rows: number[][]): number[][] {
  const size = rows.length;
  for (let i = 0; i < size; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, row, k) => (Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + k : best), i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    const scale = rows[i][i];
    rows[i] = rows[i].map((value) => value / scale);
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = rows[k][i];
      rows[k] = rows[k].map((value, column) => value - factor * rows[i][column]);
    }
  }
  return rows.map((row) => row.slice(size));
}
