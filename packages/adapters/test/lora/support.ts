import { createNodeBackend } from '@sd/backend-node';
import { type Tensor, tensor, torchCpu } from '@sd/core';
import { extendLayers, Graph, Scope } from '@sd/graph';
import { openCheckpoint, openWeights, type TensorToWrite } from '@sd/weights';
import { afterAll } from 'vitest';
import { fileOf, floats, memorySource } from '../../../weights/test/memory.js';
import { type Lora, openLora } from '../../src/index.js';
import { families } from '../families.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

/** Values under a shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const random = torchCpu(7);

/** Normally distributed values. */
export function normal(...shape: number[]): Values {
  return { shape, data: random.randn(shape.reduce((a, b) => a * b, 1)) };
}

/** Values by a function of their place. */
export function filled(shape: readonly number[], value: (...place: number[]) => number): Values {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const place = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(...place);
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis] === shape[axis]; axis--) place[axis] = 0;
  }
  return { shape, data };
}

/** Reads values by place. */
export function reader({ shape, data }: Values): (...place: number[]) => number {
  return (...place) => data[place.reduce((index, at, axis) => index * shape[axis] + at, 0)];
}

export function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}

const written = (name: string, { shape, data }: Values): TensorToWrite => floats(name, shape, data);

/** Opens a LoRA file that holds these tensors. */
export async function loraOf(
  tensors: Readonly<Record<string, Values>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Lora> {
  const file = await fileOf(
    Object.entries(tensors).map(([name, values]) => written(name, values)),
    metadata,
  );
  const weights = await openWeights(memorySource({ 'style.safetensors': file }), 'style.safetensors');
  return openLora(weights, { name: 'style', families });
}

/** A layer of the model that the tests change. */
export interface Layer {
  readonly name: string;
  readonly weight: Values;
  readonly bias?: Values;
  readonly stride?: number;
  /** Rows of the parts that are read by themselves. */
  readonly parts?: readonly number[];
}

/** What a layer gives for x, with an adapter at a strength, or without one. */
export async function resultOf(layer: Layer, x: Values, lora?: Lora, strength?: number): Promise<Float32Array> {
  const { name, weight, bias, stride, parts } = layer;
  const tensors = [written(`${name}.weight`, weight)];
  if (bias !== undefined) tensors.push(written(`${name}.bias`, bias));
  const source = memorySource({ 'm/model.safetensors': await fileOf(tensors) });
  const w = new Scope(await openCheckpoint(source, 'm', { stems: ['model'] })).at(name);
  const g = new Graph();
  const conv = weight.shape.length === 4;
  const input = g.input('x', conv ? ['n', weight.shape[1], 'h', 'w'] : ['n', 'tokens', weight.shape[1]]);
  if (lora?.extensions.unet !== undefined) extendLayers(g, [lora.extensions.unet]);
  const out = weight.shape[0];
  if (conv) g.output('y', g.conv(input, w, out, { kernel: weight.shape[2], stride }));
  else g.output('y', parts === undefined ? g.linear(input, w, out) : g.concat(g.linearParts(input, w, parts), 2));
  return run(g, x, strength);
}

/** What several layers, in the order of a model, give for one input each, by their names. */
export async function resultsOf(
  layers: readonly Pick<Layer, 'name' | 'weight'>[],
  inputs: Readonly<Record<'linear' | 'conv', Values>>,
  lora?: Lora,
  strength?: number,
): Promise<Record<string, Float32Array>> {
  const file = await fileOf(layers.map(({ name, weight }) => written(`${name}.weight`, weight)));
  const w = new Scope(await openCheckpoint(memorySource({ 'm/model.safetensors': file }), 'm', { stems: ['model'] }));
  const g = new Graph();
  const [x, map] = [g.input('linear', inputs.linear.shape), g.input('conv', inputs.conv.shape)];
  if (lora?.extensions.unet !== undefined) extendLayers(g, [lora.extensions.unet]);
  for (const { name, weight } of layers) {
    const [out, , kernel] = weight.shape;
    g.output(name, kernel === undefined ? g.linear(x, w.at(name), out) : g.conv(map, w.at(name), out, { kernel }));
  }
  const session = await backend.load(g.finish('test', { repeated: false }));
  const { linear, conv } = inputs;
  const outputs = await session.run({
    linear: tensor('float32', linear.shape, linear.data),
    conv: tensor('float32', conv.shape, conv.data),
    ...(strength !== undefined && { 'strength.style': tensor('float32', [1], Float32Array.of(strength)) }),
  });
  await session.dispose();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
}

/** A normalization: over the last axis, or of a feature map in groups. */
export interface Norm {
  readonly name: string;
  readonly weight: Values;
  readonly bias: Values;
  readonly groups: number;
}

/** What a normalization gives for x, with an adapter at a strength, or without one. */
export async function normalizedOf(norm: Norm, x: Values, lora?: Lora, strength?: number): Promise<Float32Array> {
  const { name, weight, bias, groups } = norm;
  const tensors = [written(`${name}.weight`, weight), written(`${name}.bias`, bias)];
  const source = memorySource({ 'm/model.safetensors': await fileOf(tensors) });
  const w = new Scope(await openCheckpoint(source, 'm', { stems: ['model'] })).at(name);
  const g = new Graph();
  const input = g.input('x', x.shape);
  if (lora?.extensions.unet !== undefined) extendLayers(g, [lora.extensions.unet]);
  g.output('y', x.shape.length === 4 ? g.groupNorm(input, w, { groups, epsilon: 1e-5 }) : g.layerNorm(input, w));
  return run(g, x, strength);
}

/** Rows of a table [count, width], after the changes of an adapter at a strength. */
export async function rowsOf(
  table: Values,
  ids: readonly number[],
  lora: Lora,
  strength: number,
): Promise<Float32Array> {
  const name = 'embeddings.token_embedding';
  const source = memorySource({ 'm/model.safetensors': await fileOf([written(`${name}.weight`, table)]) });
  const w = new Scope(await openCheckpoint(source, 'm', { stems: ['model'] }));
  const g = new Graph();
  const x = g.input('x', [1]);
  if (lora.extensions.text_encoder !== undefined) extendLayers(g, [lora.extensions.text_encoder]);
  const view = w.tensor(`${name}.weight`, table.shape);
  const places = g.indices(ids);
  const rows = { module: name, table: view, ids: places, output: g.embedding(places, view) };
  g.output('y', g.add(g.adaptedRows(rows), x));
  return run(g, { shape: [1], data: Float32Array.of(0) }, strength);
}

async function run(g: Graph, x: Values, strength: number | undefined): Promise<Float32Array> {
  const session = await backend.load(g.finish('test', { repeated: false }));
  const feeds: Record<string, Tensor> = { x: tensor('float32', x.shape, x.data) };
  if (strength !== undefined) feeds['strength.style'] = tensor('float32', [1], Float32Array.of(strength));
  const { y } = await session.run(feeds);
  await session.dispose();
  return y.data as Float32Array;
}
