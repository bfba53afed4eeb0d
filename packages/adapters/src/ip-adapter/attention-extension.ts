import { CheckpointError } from '@sd/core';
import type { UnetConfig, UnetExtension } from '@sd/unet';
import { familyOfContext, type ModelFamily } from '../family.js';
import { crossAttentions } from './cross-attentions.js';
import type { ImageAttention, IpAdapterFile } from './read.js';

/**
 * Attention to an image next to that to the text: each cross-attention gives `attention(q, k, v) + strength * attention(q,
 * key(tokens), value(tokens))`. The tokens are the input `image_tokens.<name>` [n, t, width], the strength
 * `strength.<name>` [1]. Throws a CheckpointError, naming the first tensor that does not fit, for another family's U-Net.
 * @see arXiv 2308.06721, equation 5
 */
export function imageAttention(
  name: string,
  adapter: IpAdapterFile,
  unet: UnetConfig,
  families: readonly ModelFamily[],
): UnetExtension {
  const width = unet.levels[0].contextWidth;
  const places = crossAttentions(unet);
  adapter.attentions.forEach(({ key, value }, i) => {
    for (const view of [key, value])
      expectFit(adapter.file, view, { width: places[i]?.width, tokenWidth: width }, families);
  });
  const { length } = adapter.attentions;
  if (length !== places.length) {
    throw new CheckpointError(
      'missing-tensor',
      adapter.file,
      `has keys and values for ${length} cross-attentions, but this U-Net has ${places.length}: it was made for another model.`,
    );
  }
  const byModule = new Map(places.map(({ module }, i) => [module, adapter.attentions[i]]));
  return {
    name,
    extend(g) {
      const tokens = g.optionalInput(`image_tokens.${name}`, ['batch', `image_tokens.${name}`, width]);
      const strength = g.optionalInput(`strength.${name}`, [1]);
      return {
        attention({ module, query, heads, output }) {
          const added = byModule.get(module);
          if (added === undefined) return output;
          // Values are far fewer than places: scaled here, the strength costs nothing.
          const values = g.mul(g.matmul(tokens, added.value), strength);
          return g.add(output, g.attention(query, g.matmul(tokens, added.key), values, heads));
        },
      };
    },
  };
}

interface Expected {
  readonly width: number | undefined;
  readonly tokenWidth: number;
}

function expectFit(
  file: string,
  { name, shape }: ImageAttention['key'],
  { width, tokenWidth }: Expected,
  families: readonly ModelFamily[],
): void {
  const [rows, columns] = shape;
  if (columns === tokenWidth && (width === undefined || rows === width)) return;
  const known = (size: number) => {
    const title = familyOfContext(families, size)?.title;
    return title === undefined ? '' : `, as that of ${title}`;
  };
  const reason =
    columns === tokenWidth
      ? 'it was made for another model'
      : `it was made for a model whose text is ${columns} wide${known(columns)}, and this one’s is ${tokenWidth}${known(tokenWidth)}`;
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `the tensor ${name} has the shape [${shape.join(', ')}], but this U-Net asks for [${width ?? '*'}, ${tokenWidth}]: ${reason}.`,
    { tensor: name },
  );
}
