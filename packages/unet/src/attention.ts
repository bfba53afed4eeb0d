export { type AttentionMaps, attentionMaps, mappedSamples, outputOf } from './attention/attention-maps.js';
export { type HeatMaps, heatMaps, type WordPlace } from './attention/heat-maps.js';
export { type MapSize, resizeMap } from './attention/resize.js';
export { canMapAttention, type LayerMaps, layersNamed, watchAttention } from './attention/watch.js';
