import { type Scheduler, SdError } from '@sd/core';
import { type ConformanceCase, conforms, rejection } from '@sd/core/testing';
import { isFalling } from './convergence.js';
import { mixtureDenoiser, testNoise } from './denoisers.js';

/** The cases that every scheduler must pass: its plans are accurate, and it rejects impossible numbers of steps. */
export function schedulerSuite(make: () => Scheduler): ConformanceCase[] {
  return [
    {
      name: 'rejects a number of steps that is not an integer above 0',
      run: async () => {
        for (const steps of [0, -1, 1.5, Number.NaN]) {
          const error = await rejection(`plan(${steps})`, async () => make().plan(steps));
          conforms(SdError.isInstance(error) && error.code === 'invalid-option', `plan(${steps}) throws ${error}.`);
        }
      },
    },
    {
      name: 'plans levels from most noise to least',
      run: async () => {
        for (const steps of [1, 2, 5, 12]) {
          const { levels, initialSigma } = make().plan(steps);
          conforms(levels.length > 1 && isFalling(levels), `The levels of ${steps} steps do not decrease.`);
          conforms(initialSigma > 0 && Number.isFinite(initialSigma), `The initial sigma is ${initialSigma}.`);
        }
      },
    },
    {
      name: 'yields and calls the model as often as planned, and stays finite',
      run: async () => {
        const { levels, sampler, stepCount, callCount = stepCount, initialSigma } = make().plan(6);
        const noise = testNoise(1, 12);
        const start = noise().map((value) => value * initialSigma);
        let count = 0;
        let calls = 0;
        const denoise = mixtureDenoiser();
        const counted: typeof denoise = async (x, level) => {
          calls++;
          return denoise(x, level);
        };
        for await (const { x } of sampler(counted, start, levels, { noise })) {
          conforms(x.every(Number.isFinite), `Step ${count} is not finite.`);
          count++;
        }
        conforms(count === stepCount, `Yields ${count} times, but the plan says ${stepCount}.`);
        conforms(calls === callCount, `Calls the denoiser ${calls} times, but the plan says ${callCount}.`);
      },
    },
  ];
}
