import { expectFinite, expectTensor, type Tensor } from '@sd/core';
import type { Canvas } from './canvas.js';
import { encodeImage } from './encode.js';
import { type ImageMethods, imageMethods } from './image-methods.js';
import type { ImageParameters } from './parameters.js';

/** An image as `generate()` returns it. */
export interface SdImage extends ImageMethods {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** RGBA, 8 bits each, row by row from the top left: `new ImageData(data, width, height)` in a browser. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  /** The settings that it was made with, which are written into each file. */
  readonly parameters?: ImageParameters | undefined;
}

/**
 * Makes an image of one row of the VAE's output, [3, height, width] from -1 to 1; values outside are clamped. Adds the
 * `Size` to `parameters`, unless they have one.
 *
 * Throws a TensorError for another shape (`bad-tensor`), and for NaN or infinity (`not-finite`).
 * Follows diffusers' VaeImageProcessor in float32: `(x / 2 + 0.5).clamp(0, 1)`, then `(x * 255).round()`, half to even.
 */
export function createImage(pixels: Tensor<'float32'>, parameters?: ImageParameters): SdImage {
  expectTensor('An image', pixels, 'float32', [3, -1, -1]);
  expectFinite('An image', pixels.data);
  const [, height, width] = pixels.dims as [number, number, number];
  const size = width * height;
  const data = new Uint8ClampedArray(size * 4);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < size; i++) {
      const unit = Math.fround(pixels.data[channel * size + i] / 2 + 0.5);
      // Uint8ClampedArray clamps, and rounds half to even.
      data[i * 4 + channel] = Math.fround(unit * 255);
    }
  }
  for (let i = 3; i < data.length; i += 4) data[i] = 255;

  return toSdImage({ width, height, data }, parameters && withSize(parameters, `${width}x${height}`));
}

/** An image of these pixels, which are not copied. */
export function toSdImage({ width, height, data }: Canvas, parameters?: ImageParameters): SdImage {
  const encode = imageMethods((options) => encodeImage({ width, height, data }, { ...options, parameters }));
  return { width, height, data, parameters, ...encode };
}

function withSize(parameters: ImageParameters, size: string): ImageParameters {
  const { settings } = parameters;
  return { ...parameters, settings: { ...settings, Size: settings?.Size ?? size } };
}
