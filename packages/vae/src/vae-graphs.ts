import type { Model } from '@sd/core';
import { Graph, type GraphOptions, Scope, staticDim, type TensorLookup } from '@sd/graph';
import { head, midBlock, vaeResnet } from './blocks.js';
import type { VaeConfig } from './config.js';

/**
 * Writes the encoder's graph. Input: `sample` [n, 3, h, w]. Output: `latent_parameters` [n, 2 * latentChannels, h / f,
 * w / f], the mean and the log-variance concatenated.
 * @see arXiv 1312.6114; tensor names as in diffusers' `AutoencoderKL`
 */
export function vaeEncoderGraph(checkpoint: TensorLookup, config: VaeConfig, options?: GraphOptions): Model {
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const encoder = w.at('encoder');
  const deepest = config.channels.length - 1;
  let x = g.input('sample', ['batch', config.imageChannels, 'height', 'width']);
  x = g.conv(x, encoder.at('conv_in'), config.channels[0]);
  config.channels.forEach((channels, i) => {
    const at = encoder.at('down_blocks', i);
    for (let j = 0; j < config.layersPerBlock; j++) x = vaeResnet(g, at.at('resnets', j), x, channels, config);
    if (i < deepest) x = g.conv(x, at.at('downsamplers.0.conv'), channels, { stride: 2, padding: [0, 0, 1, 1] });
  });
  x = midBlock(g, encoder.at('mid_block'), x, config);
  x = head(g, encoder, x, 2 * config.latentChannels, config);
  if (config.quantConv) x = g.conv(x, w.at('quant_conv'), staticDim(x, 1), { kernel: 1 });
  g.output('latent_parameters', x);
  return g.finish('vae_encoder', { repeated: false });
}

/** Writes the decoder's graph. Input: `latent_sample` [n, latentChannels, h, w]. Output: `sample` [n, 3, h * f, w * f]. */
export function vaeDecoderGraph(checkpoint: TensorLookup, config: VaeConfig, options?: GraphOptions): Model {
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const decoder = w.at('decoder');
  const deepest = config.channels.length - 1;
  let x = g.input('latent_sample', ['batch', config.latentChannels, 'height', 'width']);
  if (config.postQuantConv) x = g.conv(x, w.at('post_quant_conv'), config.latentChannels, { kernel: 1 });
  x = g.conv(x, decoder.at('conv_in'), config.channels[deepest]);
  x = midBlock(g, decoder.at('mid_block'), x, config);
  config.channels.toReversed().forEach((channels, i) => {
    const at = decoder.at('up_blocks', i);
    for (let j = 0; j <= config.layersPerBlock; j++) x = vaeResnet(g, at.at('resnets', j), x, channels, config);
    if (i < deepest) x = g.conv(g.upsample(x), at.at('upsamplers.0.conv'), channels);
  });
  g.output('sample', head(g, decoder, x, config.imageChannels, config));
  return g.finish('vae_decoder', { repeated: false });
}
