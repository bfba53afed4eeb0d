import { expect, test } from 'vitest';
import { readHypernetwork } from '../../src/hypernetwork/read.js';

const file = { location: 'x', read: async () => new Uint8Array() };
const view = (shape: number[]) => ({ name: 'x', dtype: 'F32', shape, file, offset: 0, length: 0 });
const network = new Map([
  ['linear.0.weight', view([4, 4])],
  ['linear.0.bias', view([4])],
]);

// modules/hypernetworks/hypernetwork.py: state_dict.get('activate_output', True)
test.each([
  ['without a word of it, as in October 2022', [], true],
  ['true', [['activate_output', true]], true],
  ['false', [['activate_output', false]], false],
  ['None', [['activate_output', null]], false],
] as const)('the output is activated as in A1111: %s', (_, settings, activateOutput) => {
  const saved = new Map<unknown, unknown>([[4, [network, network]], ['activation_func', 'relu'], ...settings]);
  expect(readHypernetwork('x.pt', saved)).toMatchObject({ activation: 'relu', activateOutput });
});
