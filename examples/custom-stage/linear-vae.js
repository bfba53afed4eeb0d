/** Red, green and blue for each of the embedded model's four latent channels, and an offset: by `fitLatentRgb` of @sd/vae. */
const colours = [
  [-0.293, 0.036, 0.126],
  [-0.249, -0.308, 0.133],
  [0.164, 0.079, 0.315],
  [0.088, -0.299, -0.348],
  [0.215, -0.054, 0.069],
];

const factor = 8;

/**
 * A VAE without a network: every latent is a colour, and pixels are interpolated bilinearly between the nearest four.
 * @type {import('@sd/core').Vae}
 */
export const linearVae = {
  latentChannels: 4,
  scaleFactor: factor,
  async decode({ dims: [count, channels, height, width], data }, { signal } = {}) {
    signal?.throwIfAborted();
    const dims = [count, 3, height * factor, width * factor];
    const image = new Float32Array(dims.reduce((a, b) => a * b));
    const latent = (n, c, y, x) => data[((n * channels + c) * height + y) * width + x];
    const colour = (n, rgb, y, x) =>
      colours.reduce((sum, row, c) => sum + row[rgb] * (c < channels ? latent(n, c, y, x) : 1), 0);
    for (let i = 0; i < image.length; i++) {
      const [x, left, right] = neighbours(i % dims[3], width);
      const [y, top, bottom] = neighbours(Math.floor(i / dims[3]) % dims[2], height);
      const plane = Math.floor(i / (dims[3] * dims[2]));
      const at = (row, column) => colour(Math.floor(plane / 3), plane % 3, row, column);
      image[i] =
        (1 - y) * ((1 - x) * at(top, left) + x * at(top, right)) +
        y * ((1 - x) * at(bottom, left) + x * at(bottom, right));
    }
    return { type: 'float32', dims, data: image };
  },
};

/** The two latents in a row or column nearest to a pixel: the weight of the second, the first, the second. */
function neighbours(pixel, size) {
  const position = Math.min(size - 1, Math.max(0, (pixel + 0.5) / factor - 0.5));
  const first = Math.floor(position);
  return [position - first, first, Math.min(size - 1, first + 1)];
}
