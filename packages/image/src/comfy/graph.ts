/** A node of ComfyUI's graph in the form of its API. */
export interface ComfyNode {
  readonly type: string;
  /** Values, and links: the number of another node and of its output. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

export type ComfyGraph = ReadonlyMap<string, ComfyNode>;

/** A graph with more nodes is not read. */
const maxNodes = 10_000;

/** Reads the graph for ComfyUI's API; undefined for anything else. */
export function parsePrompt(text: string): ComfyGraph | undefined {
  const nodes = parseJson(text);
  if (!isObject(nodes)) return undefined;
  const entries = Object.entries(nodes).slice(0, maxNodes);
  return new Map(
    entries.flatMap(([id, node]) =>
      isObject(node) && typeof node.class_type === 'string' && isObject(node.inputs)
        ? [[id, { type: node.class_type, inputs: node.inputs }] as const]
        : [],
    ),
  );
}

/** The names of the values that the editor's graph has as lists, for the nodes that settings are read from. */
const widgets: Readonly<Record<string, readonly string[]>> = {
  KSampler: ['seed', '', 'steps', 'cfg', 'sampler_name', 'scheduler', 'denoise'],
  KSamplerAdvanced: ['', 'noise_seed', '', 'steps', 'cfg', 'sampler_name', 'scheduler'],
  SamplerCustom: ['', 'noise_seed', '', 'cfg'],
  RandomNoise: ['noise_seed'],
  CFGGuider: ['cfg'],
  KSamplerSelect: ['sampler_name'],
  BasicScheduler: ['scheduler', 'steps', 'denoise'],
  KarrasScheduler: ['steps'],
  CLIPTextEncode: ['text'],
  CLIPTextEncodeSDXL: ['', '', '', '', '', '', 'text_g', 'text_l'],
  CLIPTextEncodeSD3: ['clip_l', 'clip_g', 't5xxl'],
  CheckpointLoaderSimple: ['ckpt_name'],
  UNETLoader: ['unet_name'],
  EmptyLatentImage: ['width', 'height'],
  EmptySD3LatentImage: ['width', 'height'],
  PrimitiveString: ['value'],
  PrimitiveStringMultiline: ['value'],
};

/** Reads the graph of ComfyUI's editor, as far as settings need it; undefined for anything else. */
export function parseWorkflow(text: string): ComfyGraph | undefined {
  const workflow = parseJson(text);
  if (!isObject(workflow) || !Array.isArray(workflow.nodes) || !Array.isArray(workflow.links)) return undefined;
  const sources = new Map<unknown, readonly [string, unknown]>();
  for (const link of workflow.links) if (Array.isArray(link)) sources.set(link[0], [String(link[1]), link[2]]);
  const nodes = workflow.nodes.slice(0, maxNodes).filter(isObject);
  return new Map(nodes.map((node) => [String(node.id), { type: String(node.type), inputs: inputsOf(node, sources) }]));
}

function inputsOf(
  node: Readonly<Record<string, unknown>>,
  sources: ReadonlyMap<unknown, readonly [string, unknown]>,
): Record<string, unknown> {
  const { type, widgets_values: values, inputs: slots } = node;
  const names = Object.hasOwn(widgets, String(type)) ? widgets[String(type)] : [];
  const given = Array.isArray(values) ? names.flatMap((name, i) => (name === '' ? [] : [[name, values[i]]])) : [];
  const inputs: Record<string, unknown> = Object.fromEntries(given);
  for (const slot of Array.isArray(slots) ? slots.filter(isObject) : []) {
    const source = sources.get(slot.link);
    if (source !== undefined) inputs[String(slot.name)] = source;
  }
  return inputs;
}

/** Python writes numbers that JSON does not have. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/(?<=[:[,]\s*)-?(NaN|Infinity)\b/g, 'null'));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
