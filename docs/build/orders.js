// Deterministic samplers with the order that they claim. The page prints the very code that is measured.
import {
  ddim,
  deis,
  dpm2,
  dpmpp2m,
  dpmpp2mCfgPp,
  dpmpp2sAncestral,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  euler,
  eulerCfgPp,
  heun,
  ipndm,
  lms,
  pndm,
  resMultistep,
  saSolver,
  tcd,
  unipc,
} from '@sd/scheduler';
import { flowError, measureOrder } from '@sd/scheduler/testing';

/** @type {readonly (readonly [order: number | undefined, make: () => import('@sd/core').Sampler])[]} */
const claims = [
  [1, () => ddim()],
  [1, () => euler()],
  [1, () => tcd({ eta: 0 })],
  [1, () => eulerCfgPp()],
  [2, () => pndm()],
  [2, () => pndm({ rungeKutta: true })],
  [2, () => heun()],
  [2, () => dpm2()],
  [2, () => lms({ order: 2 })],
  [4, () => lms()],
  [undefined, () => ipndm()],
  [2, () => deis()],
  [3, () => deis({ order: 3 })],
  [2, () => dpmpp2sAncestral({ eta: 0 })],
  [2, () => dpmpp2m()],
  [2, () => dpmpp2mCfgPp()],
  [3, () => dpmSolverMultistep({ order: 3 })],
  [2, () => dpmSolverMultistep({ predict: 'epsilon' })],
  [3, () => dpmSolverMultistep({ predict: 'epsilon', order: 3 })],
  [2, () => dpmSolverSinglestep({ lowerOrderFinal: false })],
  [3, () => dpmSolverSinglestep({ order: 3, solverType: 'heun', lowerOrderFinal: false })],
  [2, () => dpmSolverSinglestep({ predict: 'epsilon' })],
  [2, () => resMultistep()],
  [2, () => unipc()],
  [3, () => unipc({ lowerOrderFinal: false })],
  [3, () => unipc({ solverType: 'bh1', lowerOrderFinal: false })],
  [3, () => unipc({ order: 3, lowerOrderFinal: false })],
  [3, () => unipc({ predict: 'epsilon', lowerOrderFinal: false })],
  [2, () => saSolver({ tau: () => 0, lowerOrderFinal: false })],
];

/** @returns {Promise<readonly { code: string, order: number | undefined, measured: number, error: number }[]>} */
export async function measuredOrders() {
  const rows = [];
  for (const [order, make] of claims) {
    const code = String(make).replace('() => ', '');
    rows.push({ code, order, measured: await measureOrder(make()), error: await flowError(make(), 36) });
  }
  return rows;
}
