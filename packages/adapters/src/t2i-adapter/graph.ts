import { Graph, type GraphModel, type GraphOptions, Scope, staticDim, type TensorLookup, type Value } from '@sd/graph';
import type { T2iAdapterConfig } from './config.js';

/**
 * A T2I-Adapter: `pixels` [n, imageChannels * factor², h / factor, w / factor] in, a feature map `feature.i` for each stage
 * out.
 * @see arXiv 2302.08453; tensor names as in diffusers' `T2IAdapter`
 */
export function t2iAdapterGraph(
  checkpoint: TensorLookup,
  config: T2iAdapterConfig,
  options?: GraphOptions,
): GraphModel {
  const g = new Graph(options);
  const w = new Scope(checkpoint, 'adapter');
  let x = g.input('pixels', ['batch', config.imageChannels * config.factor ** 2, 'height', 'width']);
  if (!config.light) x = g.conv(x, w.at('conv_in'), config.stages[0].channels);
  config.stages.forEach(({ channels, halved }, i) => {
    const at = w.at('body', i);
    const inner = config.light ? channels >> 2 : channels;
    if (halved) x = g.averagePool(x);
    if (at.has('in_conv') || staticDim(x, 1) !== inner) x = g.conv(x, at.at('in_conv'), inner, { kernel: 1 });
    for (let j = 0; j < config.resnets; j++) x = residual(g, at.at('resnets', j), x, config.light ? 3 : 1);
    if (config.light) x = g.conv(x, at.at('out_conv'), channels, { kernel: 1 });
    g.output(`feature.${i}`, x);
  });
  return g.finish('t2i_adapter', { repeated: false });
}

function residual(g: Graph, w: Scope, x: Value, kernel: number): Value {
  const channels = staticDim(x, 1);
  const h = g.relu(g.conv(x, w.at('block1'), channels));
  return g.add(g.conv(h, w.at('block2'), channels, { kernel }), x);
}
