import { createNodeBackend, openFolder } from '@sd/backend-node';
import { SdError } from '@sd/core';
import { loadPipeline } from '@sd/pipeline';
import { faultPoints, faultyBackend, faultyFiles } from './fault-points.js';
import { repositoryFile, tinyModel } from './fixtures.js';

const request = { prompt: 'a red car', steps: 2, width: 64, height: 64, seed: 3 };
const lora = repositoryFile('examples/lora-styles/dusk.safetensors');

/** The parts of a generation, in order. Each may fail. */
const stages = {
  load: async (state) => {
    state.pipeline = await loadPipeline(await openFolder(tinyModel()), { backend: state.backend });
  },
  attach: async ({ pipeline }) => void (await pipeline.attach(lora, { name: 'dusk' })),
  generate: async (state) => {
    state.result = await state.pipeline.generate({ ...request, adapters: { dusk: 0.5 } });
  },
  encode: async (state) => {
    state.png = await state.result.images[0].toPng();
  },
};

/** Runs the parts until one fails. Resolves to that one's name and error, if there is one. */
async function runStages(state) {
  for (const [stage, run] of Object.entries(stages)) {
    try {
      await run(state);
    } catch (error) {
      return { stage, error };
    }
  }
  return {};
}

/**
 * A generation with the embedded model and a LoRA that can be made to fail at each of its places. `count()` resolves to their
 * kinds; `fail(at, always)` to the problems that a failure left behind, none if all is right: the error is typed, no session
 * is left, and the next generation gives the same image.
 */
export async function faultyGeneration() {
  const points = faultPoints();
  const backend = createNodeBackend();
  const backendWithFaults = () =>
    faultyBackend({ ...backend, load: backend.load.bind(backend), dispose: async () => {} }, points);
  const restore = faultyFiles(points);

  async function attempt() {
    const state = { backend: backendWithFaults() };
    return { state, ...(await runStages(state)) };
  }

  async function disposed({ pipeline, backend: used }) {
    const problem = await pipeline?.dispose().then(
      () => undefined,
      (error) => error,
    );
    return { problem, left: used.live.size };
  }

  const reference = await attempt();
  if (reference.error !== undefined) throw reference.error;
  const expected = Buffer.from(reference.state.png).toString('base64');
  await disposed(reference.state);

  /** Whether a state gives the image of the reference, once nothing fails. */
  async function drawsAgain(state) {
    const { error } = await runStages(state);
    return error === undefined && Buffer.from(state.png).toString('base64') === expected;
  }

  return {
    async count() {
      points.heal();
      await disposed((await attempt()).state);
      return [...points.kinds];
    },
    async fail(at, always) {
      const problems = [];
      const expectTyped = (stage, error) => {
        if (error !== undefined && (!SdError.isInstance(error) || error.code === 'internal'))
          problems.push(`${stage}: an untyped ${error?.name}: ${error?.message}`);
      };
      points.fail(at, always);
      const { state, stage, error } = await attempt();
      expectTyped(stage, error);
      if (stage === 'load' && state.backend.live.size > 0)
        problems.push(`load left ${state.backend.live.size} sessions`);
      if (stage === 'generate' || stage === 'encode') {
        // The same pipeline continues.
        points.heal();
        const again = await stages.generate(state).then(
          () => stages.encode(state),
          (next) => next,
        );
        if (again !== undefined) problems.push(`the next generation fails: ${again.message}`);
        else if (Buffer.from(state.png).toString('base64') !== expected) problems.push('the next image differs');
        points.fail(0, false);
        points.heal();
      }
      const { problem, left } = await disposed(state);
      expectTyped('dispose', problem);
      if (left > 0) problems.push(`dispose left ${left} sessions`);
      points.heal();
      const fresh = { backend: backendWithFaults() };
      if (!(await drawsAgain(fresh))) problems.push('a new pipeline does not draw the same image');
      await disposed(fresh);
      return { stage: stage ?? (problem === undefined ? 'none' : 'dispose'), problems };
    },
    async dispose() {
      restore();
      await backend.dispose();
    },
  };
}
