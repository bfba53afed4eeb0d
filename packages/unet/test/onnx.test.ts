import { createNodeBackend, openFolder } from '@sd/backend-node';
import { TensorError, tensor, UnsupportedError } from '@sd/core';
import { noisePredictorSuite } from '@sd/core/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { fusedControlNets } from '../src/onnx/fused-controlnets.js';
import type { NamedInput } from '../src/onnx/inputs.js';
import { residualOutputs } from '../src/onnx/residual-names.js';
import { timestepFor } from '../src/onnx/timestep.js';
import { loadOnnxUnet } from '../src/onnx.js';

const tolerance = 1e-5;
const backend = createNodeBackend();
afterAll(() => backend.dispose());

const sd1 = readGolden();
const unetIn = async (folder: string, inside = 'unet') =>
  loadOnnxUnet({ backend, source: await openFolder(folder), folder: inside });

// Exporters trace one size, and record how its sides halve: odd sizes fail.
const cases = noisePredictorSuite({ create: () => unetIn(fixture('models/sd1-onnx-old')), contextWidth: 32 });
test.each(cases.filter(({ name }) => !name.includes('9 x 10')))('conformance: $name', ({ run }) => run());

describe('exported U-Nets give the same outputs as diffusers', () => {
  test.each([
    ['sd1-onnx', [], 8],
    ['sd1-onnx-old', [], 8],
    ['sd1-onnx-script', [], 64],
    ['sdxl-onnx', ['text_embeds', 'time_ids'], 8],
  ])('%s', async (model, needs, sampleSize) => {
    const golden = readGolden('golden.safetensors', fixture(`models/${model.split('-')[0]}`));
    const unet = await unetIn(fixture(`models/${model}`));
    expect(unet).toMatchObject({ inChannels: 4, outChannels: 4, sampleSize, residuals: [] });
    expect(unet.needs.map(({ name }) => name)).toEqual(needs);
    const conditions = Object.fromEntries(needs.map((name) => [name, golden(`unet.${name}`)]));
    for (const timestep of [1, 500, 999]) {
      const [sample, context] = [golden('unet.sample'), golden('unet.context')];
      const { dims, data } = await unet.predict({ sample, timestep, context, conditions });
      const want = golden(`unet.out.t${timestep}`);
      expect(dims).toEqual(want.dims);
      expect(stageError(model, data, want.data)).toBeLessThan(tolerance);
    }
    await unet.dispose?.();
  });

  test('in half precision, the same as ONNX Runtime in Python', async () => {
    const folder = fixture('models/sd1-onnx-float16');
    const unet = await unetIn(folder);
    const want = readGolden('golden.safetensors', folder)('unet.out.t500');
    const context = sd1('text.last_hidden_state');
    const { type, dims, data } = await unet.predict({ sample: sd1('unet.sample'), timestep: 500, context });
    await unet.dispose?.();
    expect([type, dims]).toEqual(['float32', want.dims]);
    // Half precision rounds by up to 5e-4, and versions of the runtime fuse different operators.
    expect(stageError('sd1-onnx-float16', data, want.data)).toBeLessThan(2e-3);
    expect(relativeError(data, sd1('unet.out.t500').data)).toBeLessThan(1e-2);
  });
});

describe('ControlNets', () => {
  test('inside the U-Net: no effect without images, and inputs are checked', async () => {
    const unet = await unetIn(fixture('adapters/controlnet-onnx/fused'));
    expect(unet).toMatchObject({ controlNets: 2, residuals: [], needs: [] });
    const call = { sample: sd1('unet.sample'), timestep: 500, context: sd1('unet.context') };
    const plain = await unet.predict(call);
    expect(stageError('controlnet-fused', plain.data, sd1('unet.out.t500').data)).toBeLessThan(tolerance);
    const conditions = { conditioning_scales: tensor('float32', [1, 1]) };
    await expect(unet.predict({ ...call, conditions })).rejects.toThrow(
      'The U-Net’s conditioning_scales must be float32 [2, 1]',
    );
    await unet.dispose?.();
  });

  test('inside the U-Net: their number is fixed', () => {
    const inputs = (...dims: (string | number)[]) =>
      [
        ['controlnet_conds', [...dims, 'n', 3, 'h', 'w']],
        ['conditioning_scales', [2, 1]],
      ].map(([name, dims]) => ({ name, info: { name, type: 'float32', dims }, optional: false })) as NamedInput[];
    expect(fusedControlNets('unet/model.onnx', inputs(2))?.count).toBe(2);
    expect(fusedControlNets('unet/model.onnx', [])).toBeUndefined();
    for (const wrong of [inputs('nets'), inputs(3), inputs(2).slice(1), inputs(2).slice(0, 1)]) {
      expect(() => fusedControlNets('unet/model.onnx', wrong)).toThrow(UnsupportedError);
    }
  });

  test('outputs are identified by name, or by order if the names are ambiguous', () => {
    const mid = 'mid_block_additional_residual';
    const named = [
      'mid_block_additional_residual',
      'down_block_1_additional_residual',
      'down_block_0_additional_residual',
    ];
    expect([...residualOutputs(named).values()]).toEqual([
      mid,
      'down_block_additional_residual.1',
      'down_block_additional_residual.0',
    ]);
    // Two names for three outputs: the second is not the mid block’s.
    expect([...residualOutputs(['down_block_res_samples', 'mid_block_res_sample', '2040'])]).toEqual([
      ['down_block_res_samples', 'down_block_additional_residual.0'],
      ['mid_block_res_sample', 'down_block_additional_residual.1'],
      ['2040', mid],
    ]);
  });
});

describe('refuses', () => {
  test('conditions without an input in the model', async () => {
    const unet = await unetIn(fixture('models/sd1-onnx'));
    const [sample, context] = [sd1('unet.sample'), sd1('unet.context')];
    const run = unet.predict({ sample, timestep: 1, context, conditions: { text_embeds: context } });
    await expect(run).rejects.toThrow(TensorError);
    await expect(run).rejects.toThrow('unet/model.onnx has no input text_embeds. It takes sample, timestep');
  });

  test('missing conditions', async () => {
    const unet = await unetIn(fixture('models/sdxl-onnx'));
    const golden = readGolden('golden.safetensors', fixture('models/sdxl'));
    const [sample, context] = [golden('unet.sample'), golden('unet.context')];
    await expect(unet.predict({ sample, timestep: 1, context })).rejects.toThrow(
      'unet/model.onnx needs text_embeds: float32',
    );
  });

  test('another kind of model', async () => {
    const source = await openFolder(fixture('models/sd1-onnx'));
    await expect(loadOnnxUnet({ backend, source, folder: 'text_encoder' })).rejects.toThrow(UnsupportedError);
  });
});

test('a timestep gets the rank of the model’s input', () => {
  const sample = { name: 'sample', type: 'float32' as const, dims: ['n', 4, 'h', 'w'] };
  const of = (dims: readonly (number | string)[]) =>
    timestepFor({ name: 'timestep', type: 'float32', dims }, sample, 499.5, 3);
  expect(of([])).toEqual({ type: 'float32', dims: [], data: Float32Array.of(499.5) });
  expect(of(['steps']).dims).toEqual([1]);
  expect(of(['n'])).toEqual({ type: 'float32', dims: [3], data: Float32Array.of(499.5, 499.5, 499.5) });
  expect(of([2]).dims).toEqual([2]);
  expect(of(['?']).dims).toEqual([1]);
});
