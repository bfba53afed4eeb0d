import { CheckpointError, UnsupportedError } from '@sd/core';
import { Checkpoint, type TensorView, type WeightsFile } from '@sd/weights';

/**
 * How an IP-Adapter makes tokens of an image: `plain` from its embedding, `plus` from its hidden states by attention,
 * `full` from each hidden state by itself.
 */
export type IpAdapterKind = 'plain' | 'plus' | 'full';

/** The matrices of a cross-attention for keys and values of the image's tokens, each [width, tokenWidth]. */
export interface ImageAttention {
  readonly key: TensorView;
  readonly value: TensorView;
}

/** An IP-Adapter's file. */
export interface IpAdapterFile {
  readonly file: string;
  readonly kind: IpAdapterKind;
  /** The tensors of the projection, without the prefix `image_proj.`. */
  readonly projection: Checkpoint;
  /** One for each cross-attention of the U-Net: those of the down path, the up path, then the mid block. */
  readonly attentions: readonly ImageAttention[];
}

/**
 * Reads an IP-Adapter (arXiv 2308.06721) as its authors publish it: a safetensors file with `image_proj.*` and
 * `ip_adapter.*`, or what torch saved of two dicts of those names. Throws a CheckpointError for what is no IP-Adapter, and
 * an UnsupportedError for one that sees faces.
 */
export function readIpAdapter({ path, tensors }: WeightsFile): IpAdapterFile {
  const projection = new Map<string, TensorView>();
  for (const [name, view] of tensors) {
    if (name.startsWith('image_proj.')) projection.set(name.slice('image_proj.'.length), view);
  }
  return {
    file: path,
    kind: kindOf(path, projection),
    projection: new Checkpoint(`${path}, image_proj`, projection),
    attentions: attentionsOf(path, tensors),
  };
}

function kindOf(path: string, projection: ReadonlyMap<string, TensorView>): IpAdapterKind {
  if (projection.has('proj.weight')) return 'plain';
  if (projection.has('proj.3.weight')) return 'full';
  if (projection.has('latents')) return 'plus';
  if (projection.has('proj.0.weight')) {
    throw new UnsupportedError(
      `${path}: is an IP-Adapter FaceID, which sees faces by a model of InsightFace. This version knows the plain ones, Plus, and Full Face.`,
    );
  }
  throw new CheckpointError(
    'bad-checkpoint',
    path,
    'is no IP-Adapter: of image_proj.proj.weight, image_proj.proj.3.weight and image_proj.latents it has none.',
  );
}

function attentionsOf(path: string, tensors: ReadonlyMap<string, TensorView>): ImageAttention[] {
  const numbers = [...tensors.keys()].flatMap((name) => /^ip_adapter\.(\d+)\.to_k_ip\.weight$/.exec(name)?.[1] ?? []);
  return numbers
    .sort((a, b) => Number(a) - Number(b))
    .map((number) => {
      const [key, value] = ['to_k_ip', 'to_v_ip'].map((part) => {
        const name = `ip_adapter.${number}.${part}.weight`;
        const view = tensors.get(name);
        if (view?.shape.length === 2) return view;
        const problem = view === undefined ? `has no tensor ${name}` : `the tensor ${name} is no matrix`;
        const code = view === undefined ? 'missing-tensor' : 'misshapen-tensor';
        throw new CheckpointError(code, path, `${problem}.`, { tensor: name });
      });
      return { key, value };
    });
}
