import type { SettingsTexts } from '../formats/format.js';
import type { ReadParameters } from '../parameters.js';
import { type ComfyGraph, type ComfyNode, parsePrompt, parseWorkflow } from './graph.js';

/**
 * The settings of the image that a ComfyUI graph makes, by A1111's names: those of its first sampler, from which others
 * may go on. Undefined if there is no sampler. Prompts that are joined by nodes are read as far as one text goes.
 */
export function readComfyGraph({ prompt, workflow }: SettingsTexts): ReadParameters | undefined {
  for (const graph of [prompt && parsePrompt(prompt), workflow && parseWorkflow(workflow)]) {
    const found = graph ? settingsOf(graph) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function settingsOf(graph: ComfyGraph): ReadParameters | undefined {
  const sampler = firstSampler(graph);
  if (sampler === undefined) return undefined;
  const find = (...names: string[]) => findValue(graph, sampler, new Set(names), controls);
  const [width, height] = ['width', 'height'].map((name) => findValue(graph, sampler, new Set([name]), images));
  const denoise = find('denoise');
  const settings = {
    Steps: find('steps'),
    Sampler: find('sampler_name'),
    'Schedule type': find('scheduler'),
    'CFG scale': find('cfg'),
    Seed: find('seed', 'noise_seed'),
    Size: width !== undefined && height !== undefined ? `${width}x${height}` : undefined,
    Model: modelName(findValue(graph, sampler, new Set(['ckpt_name', 'unet_name']), models)),
    'Denoising strength': Number(denoise) < 1 ? denoise : undefined,
  };
  return {
    prompt: promptOf(graph, sampler, 'positive') ?? '',
    negativePrompt: promptOf(graph, sampler, 'negative') ?? '',
    settings: Object.fromEntries(
      Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
  };
}

/** Inputs that lead to what a sampler is set by, to its latents, and to its model. */
const controls = [
  'noise',
  'guider',
  'sampler',
  'sigmas',
  'seed',
  'noise_seed',
  'steps',
  'cfg',
  'sampler_name',
  'scheduler',
];
const images = ['latent_image', 'samples', 'latent', 'width', 'height'];
const models = ['model', 'guider', 'unet', 'base_model'];
/** Inputs that have a prompt, or lead to it. */
const texts = ['text', 'text_g', 'text_l', 't5xxl', 'clip_l', 'clip_g', 'string', 'value', 'prompt'];
const conditionings = ['conditioning', 'conditioning_1', 'conditioning_to', ...texts];

const isSampler = ({ inputs }: ComfyNode) => 'latent_image' in inputs && ('positive' in inputs || 'guider' in inputs);

/** The sampler whose latents no other sampler made; of several, that of the first node. */
function firstSampler(graph: ComfyGraph): ComfyNode | undefined {
  const samplers = [...graph.values()].filter(isSampler);
  return samplers.find((node) => !upstream(graph, node, images).some(isSampler)) ?? samplers[0];
}

/** The nodes that inputs of these names lead to, nearest first. */
function upstream(graph: ComfyGraph, start: ComfyNode, names: readonly string[]): ComfyNode[] {
  const seen = new Set([start]);
  const found: ComfyNode[] = [];
  // The set grows as it is walked.
  for (const node of seen) {
    if (node !== start) found.push(node);
    for (const name of names) {
      const next = linked(graph, node.inputs[name]);
      if (next !== undefined) seen.add(next.node);
    }
  }
  return found;
}

function linked(graph: ComfyGraph, input: unknown): { node: ComfyNode; output: unknown } | undefined {
  if (!Array.isArray(input) || input.length !== 2) return undefined;
  const node = graph.get(String(input[0]));
  return node && { node, output: input[1] };
}

/** The first value of one of these names, in a node or in those that the inputs `through` lead to. */
function findValue(
  graph: ComfyGraph,
  start: ComfyNode,
  names: ReadonlySet<string>,
  through: readonly string[],
): string | number | undefined {
  const nodes = [start, ...upstream(graph, start, through)];
  for (const { inputs } of nodes) {
    for (const name of names) if (Object.hasOwn(inputs, name) && isValue(inputs[name])) return inputs[name];
  }
  // A value of its own node, such as a seed that several samplers share.
  for (const name of names) {
    const value = linked(graph, start.inputs[name])?.node.inputs;
    const found = Object.values(value ?? {}).find(isValue);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isValue = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';

/** The text behind a sampler's `positive` or `negative`, through the nodes that change a conditioning. */
function promptOf(graph: ComfyGraph, sampler: ComfyNode, side: 'positive' | 'negative'): string | undefined {
  const guider = linked(graph, sampler.inputs.guider)?.node;
  const inputs = { ...guider?.inputs, ...sampler.inputs };
  const first = inputs[side] ?? (side === 'positive' ? inputs.conditioning : undefined);
  const seen = new Set<ComfyNode>();
  for (let link = linked(graph, first); link !== undefined && !seen.has(link.node); ) {
    const { node, output }: { node: ComfyNode; output: unknown } = link;
    seen.add(node);
    const text = texts.map((name) => node.inputs[name]).find((value) => typeof value === 'string' && value !== '');
    if (typeof text === 'string') return text;
    // Nodes for both sides, such as a ControlNet's, have two outputs in this order.
    const both = 'positive' in node.inputs && 'negative' in node.inputs;
    const names = both ? [output === 1 ? 'negative' : 'positive'] : conditionings;
    link = names.map((name) => linked(graph, node.inputs[name])).find((next) => next !== undefined);
  }
  return undefined;
}

/** A file's name without its folders and extension, as A1111 writes a model's. */
function modelName(file: string | number | undefined): string | undefined {
  return file === undefined
    ? undefined
    : String(file)
        .replace(/^.*[\\/]/, '')
        .replace(/\.(safetensors|ckpt|pt|sft|gguf)$/i, '');
}
