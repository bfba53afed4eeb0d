import { expectFinite, expectTensor, type Tensor } from '@sd/core';
import type { ImageParameters } from './parameters.js';
import { encodePng } from './png/encode.js';

/** A picture, as `generate()` gives it. */
export interface SdImage {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** RGBA, 8 bits each, row by row from the top left: `new ImageData(data, width, height)` in a browser. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  /** What it was made with, and what `toPng` writes into the file. */
  readonly parameters?: ImageParameters;
  /** A PNG file, readable by `readParameters` and by A1111. */
  toPng(): Promise<Uint8Array>;
}

/**
 * A picture from a row of the VAE's output, [3, height, width] from -1 to 1; what lies outside is cut off.
 * `parameters` gets the picture's `Size`, unless it has one.
 *
 * Throws a TensorError for another shape (`bad-tensor`), and for NaN or infinity (`not-finite`).
 * Follows diffusers' VaeImageProcessor in float32: `(x / 2 + 0.5).clamp(0, 1)`, then `(x * 255).round()`, halves to even.
 */
export function createImage(picture: Tensor<'float32'>, parameters?: ImageParameters): SdImage {
  expectTensor('A picture', picture, 'float32', [3, -1, -1]);
  expectFinite('A picture', picture.data);
  const [, height, width] = picture.dims as [number, number, number];
  const size = width * height;
  const data = new Uint8ClampedArray(size * 4);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < size; i++) {
      const unit = Math.fround(picture.data[channel * size + i]! / 2 + 0.5);
      // A clamped array cuts off and rounds halves to even by itself.
      data[i * 4 + channel] = Math.fround(unit * 255);
    }
  }
  for (let i = 3; i < data.length; i += 4) data[i] = 255;

  const sized = parameters && withSize(parameters, `${width}x${height}`);
  return {
    width,
    height,
    data,
    ...(sized && { parameters: sized }),
    toPng: () => encodePng({ width, height, data }, sized),
  };
}

function withSize(parameters: ImageParameters, size: string): ImageParameters {
  const { settings } = parameters;
  return { ...parameters, settings: { ...settings, Size: settings?.Size ?? size } };
}
