import {
  type Backend,
  barrier,
  expectFinite,
  InvalidOptionError,
  row,
  type Source,
  show,
  type Tensor,
  TensorError,
  type TextEncoder,
  type Tokens,
  tensor,
  UnsupportedError,
} from '@sd/core';
import { type OnnxFile, onnxSession, openOnnxFile } from '@sd/weights/onnx-file';

export interface LoadOnnxTextEncoderOptions {
  readonly backend: Backend;
  readonly source: Source;
  /** The model's folder in the source, with `model.onnx`: `text_encoder` by default. */
  readonly folder?: string;
}

/** The stage over a CLIP text model that was exported to ONNX. */
export interface OnnxTextEncoder extends TextEncoder {
  readonly file: OnnxFile;
}

const idsName = 'input_ids';
const maskName = 'attention_mask';
const last = 'last_hidden_state';

/**
 * Opens a CLIP text model exported to ONNX. The type of its ids is read from the model. Its hidden states depend on the
 * export: only the last ones, or those of all layers, as for SDXL. The session is created at first use. Throws SourceError,
 * CheckpointError, UnsupportedError.
 */
export function loadOnnxTextEncoder(options: LoadOnnxTextEncoderOptions): Promise<OnnxTextEncoder> {
  return barrier('loadOnnxTextEncoder()', () => load(options));
}

async function load(options: LoadOnnxTextEncoderOptions): Promise<OnnxTextEncoder> {
  const { backend, source, folder = 'text_encoder' } = options;
  const file = await openOnnxFile(source, folder === '' ? 'model.onnx' : `${folder}/model.onnx`);
  const session = onnxSession(backend, file, folder === '' ? 'text_encoder' : folder, { repeated: false });
  const names = file.outputs.map(({ name }) => name);
  const unknown = session.inputs.find(({ name }) => name !== idsName && name !== maskName);
  if (unknown !== undefined || !names.includes(last)) {
    const problem = unknown === undefined ? `gives ${names.join(', ')} but no ${last}` : `takes ${unknown.name}`;
    throw new UnsupportedError(`${file.path} ${problem}: it is not a text encoder of Stable Diffusion 1, 2 or XL.`);
  }
  const pooledName = ['text_embeds', 'pooler_output'].find((name) => names.includes(name));
  const states = names.filter((name) => /^hidden_states\.\d+$/.test(name)).length;
  const window = session.inputs.find(({ name }) => name === idsName)?.dims[1];

  const stateName = (output: 'normalized' | 'penultimate', clipSkip: number): string => {
    if (!Number.isInteger(clipSkip) || clipSkip < 0) {
      throw new InvalidOptionError('clipSkip', `must be a whole number of at least 0, not ${show(clipSkip)}.`);
    }
    if (output === 'normalized') {
      if (clipSkip === 0) return last;
      throw new UnsupportedError(
        `${file.path} was exported with its last hidden states only, so clipSkip must be 0. Load the original checkpoint instead to skip layers.`,
      );
    }
    // The first hidden states are the token embeddings.
    const name = `hidden_states.${states - 2 - clipSkip}`;
    if (names.includes(name)) return name;
    if (states > 0) throw new InvalidOptionError('clipSkip', `must be at most ${states - 2}, not ${show(clipSkip)}.`);
    throw new UnsupportedError(`${file.path} was exported without the hidden states of its layers, which SDXL needs.`);
  };

  return {
    file,
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async encode(tokens, { clipSkip = 0, output = 'normalized', conditions = {}, signal } = {}) {
      const [condition] = Object.keys(conditions);
      if (condition !== undefined) throw new TensorError('bad-tensor', `${file.path} has no input ${condition}.`);
      const wanted = stateName(output, clipSkip);
      const ids = idsOf(tokens, window);
      const feeds: Record<string, Tensor> = { [idsName]: ids };
      if (session.inputs.some(({ name }) => name === maskName)) {
        feeds[maskName] = tensor('int32', ids.dims, new Int32Array(ids.data.length).fill(1));
      }
      const outputs = [wanted, ...(pooledName === undefined ? [] : [pooledName])];
      const results = await session.run(tokens.length, feeds, { outputs, signal });
      const hidden = results[wanted];
      expectFinite('The text encoder’s output', hidden.data);
      const pooled = pooledName === undefined ? undefined : results[pooledName];
      return tokens.map((_, i) => ({ hidden: row(hidden, i), pooled: pooled && row(pooled, i) }));
    },
  };
}

function idsOf(tokens: readonly Tokens[], window: number | string | undefined): Tensor<'int32'> {
  const length = typeof window === 'number' ? window : (tokens[0]?.ids.length ?? 0);
  const ids = tensor('int32', [tokens.length, length]);
  tokens.forEach((prompt, i) => {
    if (prompt.ids.length !== length) {
      throw new TensorError(
        'bad-tensor',
        `The text encoder takes ${length} tokens per prompt, but prompt ${i} has ${prompt.ids.length}.`,
      );
    }
    ids.data.set(prompt.ids, i * length);
  });
  return ids;
}
