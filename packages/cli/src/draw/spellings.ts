import type { Spelling } from '../options/table-options.js';

/** Letters and names that users of stable-diffusion.cpp and A1111 type. */
export const spellings: Readonly<Record<string, Spelling>> = {
  model: { short: '-m' },
  output: { short: '-o' },
  prompt: { short: '-p', text: 'What to draw, in place of words without an option.' },
  negativePrompt: { short: '-n' },
  width: { short: '-W' },
  height: { short: '-H' },
  seed: { short: '-s' },
  count: { short: '-b' },
  guidanceScale: { short: '-g' },
  scheduler: {
    text: "A scheduler by a short name such as dpmpp-2m-karras, by A1111's or ComfyUI's name, or a class of diffusers.",
  },
  rng: { text: "The random number generator: diffusers' on the CPU, A1111's, or NumPy's." },
  image: { short: '-i', text: 'An image file to start from.' },
  mask: { text: 'An image file with what to repaint: white is repainted, black kept, gray blended.' },
  denoisingStart: {
    text: 'Starts at this fraction of the run, between 0 and 1, from the image that another model left.',
  },
  format: { text: "The format of the files. (default: by the output's extension, or png)" },
  control: { aliases: ['--control-net'] },
};
