import { type Tensor, tensor, torchCpu, type Vae } from '@sd/core';

/** For each latent channel its share of red, green and blue, and a last row that is added to every pixel. */
export type LatentRgb = readonly (readonly number[])[];

/** Sides of the latents that a map is fitted on, in blocks and in latents a block. */
const blocks = 8;
const blockSize = 2;

/**
 * Fits a linear map from latents to colours to a VAE: decodes a picture of random blocks, and solves for the map that
 * gives each latent's square of pixels its mean colour, by least squares.
 */
export async function fitLatentRgb(vae: Vae, options: { readonly signal?: AbortSignal } = {}): Promise<LatentRgb> {
  const side = blocks * blockSize;
  const latents = randomBlocks(vae.latentChannels);
  const picture = await vae.decode(latents, options);
  const places = side * side;
  const unknowns = vae.latentChannels + 1;
  const normal = Array.from({ length: unknowns }, () => new Array<number>(unknowns + 3).fill(0));
  for (let place = 0; place < places; place++) {
    const known = Array.from({ length: unknowns }, (_, c) =>
      c < vae.latentChannels ? latents.data[c * places + place] : 1,
    );
    const colours = [0, 1, 2].map((colour) => meanOfSquare(picture, colour, place, side));
    for (let row = 0; row < unknowns; row++) {
      [...known, ...colours].forEach((value, column) => {
        normal[row][column] += known[row] * value;
      });
    }
  }
  return solve(normal);
}

/** Latents [n, c, h, w] to a picture [n, 3, h, w] by a linear map. */
export function linearPreview(latents: Tensor<'float32'>, map: LatentRgb): Tensor<'float32'> {
  const [batch, channels, height, width] = latents.dims;
  const places = height * width;
  const picture = tensor('float32', [batch, 3, height, width]);
  for (let n = 0; n < batch; n++) {
    for (let colour = 0; colour < 3; colour++) {
      for (let place = 0; place < places; place++) {
        let value = map[channels][colour];
        for (let c = 0; c < channels; c++) value += map[c][colour] * latents.data[(n * channels + c) * places + place];
        picture.data[(n * 3 + colour) * places + place] = value;
      }
    }
  }
  return picture;
}

/** Normal noise, each value standing for a block of latents: pictures are smooth, and so is what a VAE was trained on. */
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

function meanOfSquare({ dims, data }: Tensor<'float32'>, colour: number, place: number, side: number): number {
  const [, , height, width] = dims;
  const factor = width / side;
  const [left, top] = [(place % side) * factor, Math.floor(place / side) * factor];
  let sum = 0;
  for (let y = top; y < top + factor; y++) {
    for (let x = left; x < left + factor; x++) sum += data[(colour * height + y) * width + x];
  }
  return sum / (factor * factor);
}

/** Gauss-Jordan elimination with pivoting, on rows [matrix | right sides]; gives the right sides' solutions. */
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
