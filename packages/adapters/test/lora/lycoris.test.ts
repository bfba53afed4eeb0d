import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { relativeError } from '../../../../fixtures/golden.js';
import { type Layer, loraOf, normalizedOf, resultOf, type Values } from './support.js';

/** A tensor: its type, shape and bytes. */
type Stored = readonly [dtype: string, shape: readonly number[], base64: string];

interface Figures {
  readonly layers: Readonly<Record<string, Readonly<Record<'weight' | 'bias' | 'x', Stored>>>>;
  readonly cases: readonly {
    readonly name: string;
    readonly layer: string;
    readonly tensors: Readonly<Record<string, Stored>>;
    readonly outputs: Readonly<Record<string, Stored>>;
  }[];
}

const { layers, cases } = JSON.parse(readFileSync(new URL('../data/lycoris.json', import.meta.url), 'utf8')) as Figures;

function values([dtype, shape, base64]: Stored): Values {
  const { buffer } = Uint8Array.from(Buffer.from(base64, 'base64'));
  return {
    shape,
    data: dtype === 'I64' ? Float32Array.from(new BigInt64Array(buffer), Number) : new Float32Array(buffer),
  };
}

const layerOf = (kind: string, parts?: readonly number[]): Layer => ({
  name: 'mid_block.layer',
  weight: values(layers[kind].weight),
  bias: values(layers[kind].bias),
  stride: kind === 'strided' ? 2 : 1,
  parts,
});

test.each(cases.filter(({ name }) => name !== 'norm'))('$name, $layer', async ({ name, layer: kind, ...figures }) => {
  const layer = layerOf(kind);
  const x = values(layers[kind].x);
  const lora = await loraOf(named(figures.tensors));
  for (const [strength, wanted] of Object.entries(figures.outputs)) {
    const got = await resultOf(layer, x, lora, Number(strength));
    expect(stageError(rowOf(name), got, values(wanted).data)).toBeLessThan(3e-6);
  }
  expect(relativeError(await resultOf(layer, x, lora, 0), await resultOf(layer, x))).toBeLessThan(1e-6);
  expect(lora.unmatched()).toEqual([]);
});

test.each(cases.filter(({ layer }) => layer === 'linear'))(
  '$name, of a layer whose rows are read in two parts',
  async ({ name, tensors, outputs }) => {
    const lora = await loraOf(named(tensors));
    for (const [strength, wanted] of Object.entries(outputs)) {
      const got = await resultOf(layerOf('linear', [6, 10]), values(layers.linear.x), lora, Number(strength));
      expect(stageError(rowOf(name), got, values(wanted).data)).toBeLessThan(3e-6);
    }
  },
);

test.each(cases.filter(({ name }) => name === 'norm'))('$name, $layer', async ({ layer: kind, tensors, outputs }) => {
  const { weight, bias, x } = layers[kind];
  const norm = { name: 'mid_block.layer', weight: values(weight), bias: values(bias), groups: 3 };
  const lora = await loraOf(named(tensors));
  for (const [strength, wanted] of Object.entries(outputs)) {
    const got = await normalizedOf(norm, values(x), lora, Number(strength));
    expect(stageError('layer-full', got, values(wanted).data)).toBeLessThan(3e-6);
  }
  expect(await normalizedOf(norm, values(x), lora, 0)).toEqual(await normalizedOf(norm, values(x)));
});

function named(tensors: Readonly<Record<string, Stored>>): Record<string, Values> {
  return Object.fromEntries(
    Object.entries(tensors).map(([slot, stored]) => [`lycoris_unet_mid_block_layer.${slot}`, values(stored)]),
  );
}

/** The row of docs/compatibility.md for a case. */
function rowOf(name: string): string {
  return name.includes('dora') ? 'layer-dora' : `layer-${/^b?(\w+)/.exec(name)![1]}`;
}
