// Options of every wrong type: of generate(), attach(), loadPipeline() and inspect(), by name and by value. Values are named
// in the input, since JSON cannot hold them.
import { openFolder } from '@sd/backend-node';
import { inspect, loadPipeline } from '@sd/pipeline';
import { tinyModel } from '../fixtures.js';
import { graphsOnly, memorySource } from '../sources.js';
import { values } from '../values.js';

const names = {
  generate: [
    ...[
      'prompt',
      'syntax',
      'negativePrompt',
      'prompt2',
      'negativePrompt2',
      'width',
      'height',
      'steps',
      'guidanceScale',
    ],
    ...[
      'guidanceRescale',
      'guidance',
      'imageGuidanceScale',
      'microConditioning',
      'negativeMicroConditioning',
      'seed',
      'count',
    ],
    ...[
      'scheduler',
      'rng',
      'latents',
      'clipSkip',
      'output',
      'signal',
      'onStep',
      'image',
      'mask',
      'strength',
      'denoisingStart',
    ],
    ...[
      'denoisingEnd',
      'fit',
      'variationSeed',
      'variationStrength',
      'upscale',
      'blend',
      'frames',
      'adapters',
      '__proto__',
      '',
    ],
  ],
  attach: ['name', 'kind', 'path', 'signal', 'variant', 'onProgress', '__proto__', 'nmae'],
  load: [
    ...['backend', 'components', 'config', 'prediction', 'path', 'signal', 'onProgress', 'releaseStages', 'variant'],
    ...['schedulers', 'cache', 'threads', 'dtype', 'safetyChecker', '__proto__', 'pth'],
  ],
  inspect: ['path', 'signal', '__proto__'],
};
const entries = ['generate', 'generate', 'generate', 'stream', 'attach', 'detach', 'load', 'inspect'];

/** A value that only a program made to fail would give: errors that its own code throws may pass through. */
const isExotic = (name) => /throws|revoked|class/.test(name);

function withValues(base, chosen) {
  const options = { ...base };
  for (const [option, name] of chosen) {
    // Without one, ONNX Runtime would start.
    if (option === 'backend' && values[name]() == null) continue;
    Object.defineProperty(options, option, {
      value: values[name](),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return options;
}

async function drain(stream) {
  for await (const _ of stream) {
    // Events are made and dropped.
  }
}

export default async function options() {
  const folder = await openFolder(tinyModel());
  const base = { backend: graphsOnly(), releaseStages: true };
  const pipeline = await loadPipeline(folder, base);
  const small = { prompt: 'x', steps: 1, width: 64, height: 64 };
  const uses = {
    generate: (whole, chosen) => pipeline.generate(whole ?? withValues(small, chosen)),
    stream: (whole, chosen) => drain(pipeline.stream(whole ?? withValues(small, chosen))),
    attach: (whole, chosen, place) => pipeline.attach(place, whole ?? withValues({}, chosen)),
    detach: (whole) => pipeline.detach(whole),
    async load(whole, chosen, place) {
      // Whole options have no backend: ONNX Runtime must not start.
      const source = whole === undefined ? (place ?? folder) : memorySource({});
      await (await loadPipeline(source, whole ?? withValues(base, chosen))).dispose();
    },
    inspect: (whole, chosen, place) => inspect(place, whole ?? withValues({}, chosen)),
  };
  const valueNames = Object.keys(values);
  return {
    generate(random) {
      const use = random.pick(entries);
      const option = () => [random.pick(names[use] ?? names.generate), random.pick(valueNames)];
      return {
        use,
        whole: random.chance(use === 'detach' ? 1 : 0.05) ? random.pick(valueNames) : undefined,
        place: random.chance(0.5) ? random.pick(valueNames) : undefined,
        chosen: random.times(random.range(1, 3), option),
      };
    },
    async run({ use, whole, place, chosen }) {
      const given = whole === undefined ? undefined : values[whole]();
      try {
        await uses[use](given, chosen, place === undefined ? folder : values[place]());
      } catch (error) {
        const exotic = [whole, place, ...chosen.map(([, name]) => name)].some(
          (name) => name !== undefined && isExotic(name),
        );
        const isCallers = error?.code === undefined || error.code === 'internal';
        if (!exotic || !isCallers) throw error;
        return 'a caller’s own error';
      }
    },
  };
}
