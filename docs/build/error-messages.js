// The messages in packages/core/errors.md: those of errors that this code causes, so that the page shows what people see.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createNodeBackend } from '@sd/backend-node';
import { MissingPackageError, SourceError, tensor } from '@sd/core';
import { folder } from '@sd/model-tiny';
import { loadPipeline } from '@sd/pipeline';
import { vaeSuite } from '@sd/vae/testing';
import ts from 'typescript';

/** @typedef {import('@sd/core').ErrorCode} ErrorCode */
/** @typedef {(bytes: Buffer) => Buffer} Edit */

const root = path.resolve(import.meta.dirname, '../..');
const unet = 'unet/diffusion_pytorch_model.safetensors';
const vae = 'vae/diffusion_pytorch_model.safetensors';

/**
 * What fails with a code. Errors of servers and queues, which need more than a process, and unforeseen ones are quoted in
 * the page instead.
 * @type {Readonly<Partial<Record<ErrorCode, () => Promise<unknown>>>>}
 */
const failures = {
  'invalid-option': () => draw({ steps: 0 }),
  'not-found': () => loadPipeline('/home/me/models/stable-diffusion-v1-5'),
  'read-failed': () => loadPipeline('http://localhost:9/models/dreamshaper_8.safetensors'),
  'bad-checkpoint': () => loadPipeline(changed(unet, (bytes) => bytes.subarray(0, 100_000))),
  'bad-config': () =>
    loadPipeline(changed('unet/config.json', replace('"norm_num_groups": 32', '"norm_num_groups": 0'))),
  'missing-tensor': () => loadPipeline(changed(vae, replace('decoder.conv_in.weight', 'decoder.conv_ni.weight'))),
  'misshapen-tensor': () =>
    loadPipeline(changed('unet/config.json', replace('"cross_attention_dim": 256', '"cross_attention_dim": 768'))),
  unsupported: () => loadPipeline(changed('model_index.json', () => Buffer.from('{ "_class_name": "FluxPipeline" }'))),
  'bad-tensor': () => draw({ latents: tensor('float32', [1, 4, 64, 64], new Float32Array(4 * 64 * 64)) }),
  'not-finite': () =>
    draw({ latents: tensor('float32', [1, 4, 16, 16], new Float32Array(4 * 16 * 16).fill(Number.NaN)) }),
  backend: () => createNodeBackend().load({ name: 'unet', graph: Buffer.from('no graph'), weights: [] }),
  'memory-limit': () => draw({ width: 2048, height: 2048 }, { memoryLimit: 2 ** 30 }),
  'missing-package': async () => {
    throw new MissingPackageError('@sd/backend-node', 'Running models in Node');
  },
  aborted: () => draw({ signal: AbortSignal.abort() }),
  disposed: async () => {
    const sd = await loadPipeline();
    await sd.dispose();
    await sd.generate({ prompt: 'a red apple' });
  },
  nonconforming: async () => {
    /** @type {import('@sd/core').Vae} */
    const identity = { latentChannels: 4, scaleFactor: 8, decode: async (latents) => latents };
    for (const { run } of vaeSuite({ create: () => identity })) await run();
  },
};

/**
 * A block of Markdown for each of these codes, with its message. Throws an Error if a code has no entry in the page, or an
 * entry no code or no message.
 * @param {string} page in which a code's entry is a heading of the second level
 * @returns {Promise<Record<string, string>>}
 */
export async function errorMessages(page) {
  const codes = await errorCodes();
  const entries = new Map(page.split(/^## /m).slice(1).map(entryOf));
  const missing = codes.filter((code) => !entries.has(code));
  const unknown = [...entries.keys()].filter((code) => !codes.includes(code));
  const silent = [...entries].flatMap(([code, text]) => (/^```text$|^<!-- made: /m.test(text) ? [] : [code]));
  if (missing.length + unknown.length + silent.length > 0) {
    throw new Error(
      `packages/core/errors.md: no entry for [${missing}], no such code in ErrorCode [${unknown}], no message in [${silent}].`,
    );
  }
  const messages = [];
  for (const [code, fail] of Object.entries(failures)) messages.push([code, await messageOf(code, fail)]);
  return Object.fromEntries(messages);
}

/** @param {string} section @returns {[code: string, text: string]} */
function entryOf(section) {
  const [heading, ...lines] = section.split('\n');
  return [heading, lines.join('\n')];
}

/** The members of the type ErrorCode. */
async function errorCodes() {
  const file = path.join(root, 'packages/core/src/errors.ts');
  const source = ts.createSourceFile(file, await readFile(file, 'utf8'), ts.ScriptTarget.Latest);
  for (const statement of source.statements) {
    if (!ts.isTypeAliasDeclaration(statement) || statement.name.text !== 'ErrorCode') continue;
    const members = ts.isUnionTypeNode(statement.type) ? statement.type.types : [];
    return members.flatMap((type) =>
      ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? [type.literal.text] : [],
    );
  }
  throw new Error(`${file} has no type ErrorCode.`);
}

/**
 * @param {string} code
 * @param {() => Promise<unknown>} fail
 */
async function messageOf(code, fail) {
  const error = await fail().then(
    () => undefined,
    (error) => error,
  );
  if (error?.code !== code)
    throw new Error(`docs/build/error-messages.js: ${code} fails with ${error}.`, { cause: error });
  return ['```text', `${error.name}: ${error.message}`, '```'].join('\n');
}

/**
 * @param {Partial<import('@sd/pipeline').GenerateOptions>} options
 * @param {import('@sd/pipeline').LoadPipelineOptions} [loading]
 */
async function draw(options, loading) {
  const sd = await loadPipeline(undefined, loading);
  return sd.generate({ ...options, prompt: 'a red apple' }).finally(() => sd.dispose());
}

/**
 * The embedded model with one file changed.
 * @param {string} file
 * @param {Edit} edit
 * @returns {import('@sd/core').Source}
 */
function changed(file, edit) {
  return {
    name: 'models/my-model',
    async read(name, range) {
      const bytes = await readFile(new URL(name, folder)).catch((cause) => {
        throw new SourceError('not-found', name, `There is no file ${name}.`, { cause });
      });
      return (name === file ? edit(bytes) : bytes).subarray(range?.start, range?.end);
    },
  };
}

/** @param {string} from @param {string} to of the same length in a file of tensors @returns {Edit} */
function replace(from, to) {
  return (bytes) => {
    const at = bytes.indexOf(from);
    if (at < 0) throw new Error(`There is no ${from} to replace.`);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(to), bytes.subarray(at + from.length)]);
  };
}
