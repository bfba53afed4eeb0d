import { describe, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { relativeError } from '../../../../fixtures/golden.js';
import { filled, type Layer, loraOf, normal, reader, resultOf, sum, type Values } from './support.js';

const key = 'lora_unet_mid_block_layer';
const name = 'mid_block.layer';
const alpha: Values = { shape: [], data: Float32Array.of(3) };

const linear: Layer = { name, weight: normal(24, 12), bias: normal(24) };
const gate: Layer = { ...linear, parts: [8, 4, 12] };
const conv: Layer = { name, weight: normal(24, 12, 3, 3), bias: normal(24) };
const strided: Layer = { ...conv, stride: 2 };
const pointwise: Layer = { name, weight: normal(24, 12, 1, 1) };

/** One way of writing a change: its tensors, and the change [24, 12, k * k] that they stand for, by their definition. */
interface Change {
  readonly tensors: Readonly<Record<string, Values>>;
  readonly rank?: number;
  readonly delta: (out: number, channel: number, place: number) => number;
}

function lora(kernel: number): Change {
  const [down, up] = [normal(4, 12, ...size(kernel)), normal(24, 4, ...size(kernel).map(() => 1))];
  const [d, u] = [reader(flat(down, 3)), reader(flat(up, 2))];
  return {
    tensors: { 'lora_down.weight': down, 'lora_up.weight': up },
    rank: 4,
    delta: (o, c, k) => sum(4, (r) => u(o, r) * d(r, c, k)),
  };
}

function tuckerLora(): Change {
  const [down, mid, up] = [normal(4, 12, 1, 1), normal(4, 4, 3, 3), normal(24, 4, 1, 1)];
  const [d, m, u] = [reader(flat(down, 2)), reader(flat(mid, 3)), reader(flat(up, 2))];
  return {
    tensors: { 'lora_down.weight': down, 'lora_mid.weight': mid, 'lora_up.weight': up },
    rank: 4,
    delta: (o, c, k) => sum(4, (r) => u(o, r) * sum(4, (s) => m(r, s, k) * d(s, c))),
  };
}

function loha(kernel: number, rank: number): Change {
  const half = () => ({ a: normal(24, rank), b: normal(rank, 12 * kernel * kernel) });
  const [one, two] = [half(), half()];
  const whole = ({ a, b }: typeof one) => {
    const [left, right] = [reader(a), reader(b)];
    return (o: number, column: number) => sum(rank, (r) => left(o, r) * right(r, column));
  };
  const [first, second] = [whole(one), whole(two)];
  return {
    tensors: { hada_w1_a: one.a, hada_w1_b: one.b, hada_w2_a: two.a, hada_w2_b: two.b },
    rank,
    delta: (o, c, k) => first(o, c * kernel * kernel + k) * second(o, c * kernel * kernel + k),
  };
}

function tuckerLoha(): Change {
  const half = () => ({ t: normal(3, 3, 3, 3), a: normal(3, 24), b: normal(3, 12) });
  const [one, two] = [half(), half()];
  const whole = ({ t, a, b }: typeof one) => {
    const [core, left, right] = [reader(flat(t, 3)), reader(a), reader(b)];
    return (o: number, c: number, k: number) => sum(3, (i) => sum(3, (j) => core(i, j, k) * left(i, o) * right(j, c)));
  };
  const [first, second] = [whole(one), whole(two)];
  return {
    tensors: {
      hada_t1: one.t,
      hada_w1_a: one.a,
      hada_w1_b: one.b,
      hada_t2: two.t,
      hada_w2_a: two.a,
      hada_w2_b: two.b,
    },
    rank: 3,
    delta: (...at) => first(...at) * second(...at),
  };
}

/** Blocks of 24 / outer rows and 12 / columns columns. */
function lokr({
  outer = 4,
  columns = 3,
  kernel = 1,
  low = '',
}: {
  outer?: number;
  columns?: number;
  kernel?: number;
  low?: string;
}): Change {
  const [out, channels] = [24 / outer, 12 / columns];
  const tensors: Record<string, Values> = {};
  let left: (a: number, c: number) => number;
  if (low.includes('1')) {
    const [a, b] = [normal(outer, 2), normal(2, columns)];
    Object.assign(tensors, { lokr_w1_a: a, lokr_w1_b: b });
    left = (i, j) => sum(2, (r) => reader(a)(i, r) * reader(b)(r, j));
  } else {
    tensors.lokr_w1 = normal(outer, columns);
    left = reader(tensors.lokr_w1);
  }
  let right: (b: number, d: number, k: number) => number;
  if (low.includes('t')) {
    const [t, a, b] = [normal(2, 2, 3, 3), normal(2, out), normal(2, channels)];
    Object.assign(tensors, { lokr_t2: t, lokr_w2_a: a, lokr_w2_b: b });
    const core = reader(flat(t, 3));
    right = (o, c, k) => sum(2, (i) => sum(2, (j) => core(i, j, k) * reader(a)(i, o) * reader(b)(j, c)));
  } else if (low.includes('2')) {
    const [a, b] = [normal(out, 2), normal(2, channels * kernel * kernel)];
    Object.assign(tensors, { lokr_w2_a: a, lokr_w2_b: b });
    right = (o, c, k) => sum(2, (r) => reader(a)(o, r) * reader(b)(r, c * kernel * kernel + k));
  } else {
    tensors.lokr_w2 = normal(out, channels, ...size(kernel));
    right = reader(flat(tensors.lokr_w2, 3));
  }
  return {
    tensors,
    // Alpha counts only where a factor is of low rank.
    rank: low === '' ? undefined : 2,
    delta: (o, c, k) => left(Math.floor(o / out), Math.floor(c / channels)) * right(o % out, c % channels, k),
  };
}

const cases: readonly (readonly [string, Layer, Change])[] = [
  ['LoRA, linear', linear, lora(1)],
  ['LoRA, rows of a gated layer', gate, lora(1)],
  ['LoRA, convolution', conv, lora(3)],
  ['LoRA, convolution with stride', strided, lora(3)],
  ['LoRA, 1 x 1 convolution', pointwise, lora(1)],
  ['LoRA, Tucker form', strided, tuckerLora()],
  ['LoHa of low rank, linear', linear, loha(1, 2)],
  ['LoHa of low rank, rows of a gated layer', gate, loha(1, 2)],
  ['LoHa of low rank, convolution', conv, loha(3, 3)],
  ['LoHa, linear', linear, loha(1, 4)],
  ['LoHa, rows of a gated layer', gate, loha(1, 5)],
  ['LoHa, convolution', strided, loha(3, 6)],
  ['LoHa, Tucker form', conv, tuckerLoha()],
  ['LoKr, linear', linear, lokr({})],
  ['LoKr, first factor of low rank', linear, lokr({ low: '1' })],
  ['LoKr, second factor of low rank', linear, lokr({ low: '2' })],
  ['LoKr, rows of a gated layer', { ...linear, parts: [12, 6, 6] }, lokr({ low: '12' })],
  ['LoKr, convolution', conv, lokr({ kernel: 3 })],
  ['LoKr, convolution of low rank with stride', strided, lokr({ kernel: 3, low: '12' })],
  ['LoKr, Tucker form', conv, lokr({ kernel: 3, low: 't' })],
];

describe.each(cases)('%s', (title, layer, { tensors, rank, delta }) => {
  const places = layer.weight.shape.slice(2).reduce((a, b) => a * b, 1);
  const row = `layer-${/^\w+/.exec(title)![0].toLowerCase()}`;
  const factor = rank === undefined ? 1 : 3 / rank;
  const weight = reader(flat(layer.weight, 3));
  const changedBy = (scale: number) => (o: number, c: number, k: number) => weight(o, c, k) + scale * delta(o, c, k);
  const x = layer.weight.shape.length === 4 ? normal(2, 12, 5, 7) : normal(2, 9, 12);
  const file = (extra: Readonly<Record<string, Values>> = {}) =>
    loraOf(
      Object.fromEntries(
        Object.entries({ ...tensors, alpha, ...extra }).map(([slot, values]) => [`${key}.${slot}`, values]),
      ),
    );
  const wanted = (matrix: (o: number, c: number, k: number) => number) => {
    const { data } = filled([24, 12, places], matrix);
    return resultOf({ ...layer, weight: { shape: layer.weight.shape, data } }, x);
  };

  test('adds what its tensors stand for', async () => {
    const opened = await file();
    for (const strength of [0.6, -1.5, 0]) {
      const got = await resultOf(layer, x, opened, strength);
      expect(stageError(row, got, await wanted(changedBy(strength * factor)))).toBeLessThan(3e-6);
    }
    opened.check();
    expect(opened.unmatched()).toEqual([]);
  });

  test('with magnitudes', async () => {
    const magnitude = normal(24, 1, ...layer.weight.shape.slice(2).map(() => 1));
    const opened = await file({ dora_scale: magnitude });
    const m = reader(flat(magnitude, 1));
    for (const strength of [0.6, -1.5]) {
      const changed = changedBy(strength * factor);
      const norms = Array.from({ length: 24 }, (_, o) =>
        Math.sqrt(sum(12, (c) => sum(places, (k) => changed(o, c, k) ** 2))),
      );
      const want = await wanted((o, c, k) => (m(o) / norms[o]) * changed(o, c, k));
      const got = await resultOf(layer, x, opened, strength);
      expect(stageError('layer-dora', got, want)).toBeLessThan(3e-6);
    }
    const off = await resultOf(layer, x, opened, 0);
    expect(relativeError(off, await wanted(weight))).toBeLessThan(1e-6);
  });
});

describe('the shape of the magnitudes tells what they are of', () => {
  const change = lora(1);
  const square: Layer = { name, weight: normal(24, 24), bias: normal(24) };
  const squareChange: Change = {
    ...change,
    tensors: { 'lora_down.weight': normal(4, 24), 'lora_up.weight': normal(24, 4) },
  };
  const [outputs, inputs, both] = [normal(24), normal(12), normal(24)];
  const as = ({ data }: Values, ...shape: number[]): Values => ({ shape, data });
  const opened = ({ tensors }: Change, slot: string, values: Values) =>
    loraOf(
      Object.fromEntries(Object.entries({ ...tensors, [slot]: values }).map(([at, view]) => [`${key}.${at}`, view])),
    );

  test.each<[Layer, Change, string, Values, string, Values]>([
    [linear, change, 'dora_scale', as(outputs, 24), 'dora_scale', as(outputs, 24, 1)],
    [linear, change, 'dora_scale', as(outputs, 1, 24), 'dora_scale', as(outputs, 24, 1)],
    [linear, change, 'dora_scale', as(inputs, 12), 'dora_scale', as(inputs, 1, 12)],
    [linear, change, 'dora_scale', as(inputs, 12, 1), 'dora_scale', as(inputs, 1, 12)],
    [square, squareChange, 'dora_scale', as(both, 24), 'dora_scale', as(both, 24, 1)],
    [square, squareChange, 'lora_magnitude_vector', as(both, 24), 'dora_scale', as(both, 24, 1)],
    [square, squareChange, 'lora_magnitude_vector.weight', as(both, 1, 24), 'dora_scale', as(both, 24, 1)],
  ])('%#', async (layer, of, slot, values, otherSlot, others) => {
    const x = normal(1, 3, layer.weight.shape[1]);
    const want = await resultOf(layer, x, await opened(of, otherSlot, others), 0.7);
    expect(await resultOf(layer, x, await opened(of, slot, values), 0.7)).toEqual(want);
  });

  test('of inputs, in a square layer', async () => {
    const x = normal(1, 3, 24);
    const want = await resultOf(square, x, await opened(squareChange, 'dora_scale', as(both, 24, 1)), 1);
    expect(await resultOf(square, x, await opened(squareChange, 'dora_scale', as(both, 1, 24)), 1)).not.toEqual(want);
  });
});

test('LoKr whose blocks cross the rows of a gated layer', async () => {
  const change = lokr({ outer: 3 });
  const opened = await loraOf(
    Object.fromEntries(Object.entries(change.tensors).map(([slot, values]) => [`${key}.${slot}`, values])),
  );
  const x = normal(2, 9, 12);
  const weight = reader(linear.weight);
  const merged = filled([24, 12], (o, c) => weight(o, c) + change.delta(o, c, 0));
  const want = await resultOf({ ...gate, weight: merged }, x);
  expect(relativeError(await resultOf({ ...linear, parts: [12, 12] }, x, opened, 1), want)).toBeLessThan(3e-6);
});

/** Kernel sizes of a tensor: none for a linear layer's. */
function size(kernel: number): number[] {
  return kernel === 1 ? [] : [kernel, kernel];
}

/** The same values with `rank` axes, the last of which takes what is left. */
function flat({ shape, data }: Values, rank: number): Values {
  const head = shape.slice(0, rank - 1);
  return { shape: [...head, data.length / head.reduce((a, b) => a * b, 1)], data };
}
