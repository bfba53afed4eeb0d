import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { InvalidOptionError, type Warning } from '@sd/core';
import type { Pipeline } from '@sd/pipeline';
import { parsePrompt } from '@sd/tokenizer/prompt';
import type { GenerateRequest, LoraInfo } from '../engine.js';

/** The LoRAs in a folder and the folders in it, by the names of their files. None without a folder. */
export async function listLoras(folder: string | undefined): Promise<readonly LoraInfo[]> {
  if (folder === undefined) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(safetensors|pt|ckpt)$/i.test(entry.name))
    .map(({ name, parentPath }) => ({ name: path.parse(name).name, path: path.join(parentPath, name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Attaches the LoRAs that a request names, and detaches all others. Resolves to the warnings of attaching. Rejects with an
 * InvalidOptionError for a name in `loras` that there is no file of; the prompt may name others, to no effect.
 */
export async function attachLoras(
  pipeline: Pipeline,
  { prompt, syntax, loras = {} }: GenerateRequest,
  known: readonly LoraInfo[],
  signal: AbortSignal,
): Promise<readonly Warning[]> {
  const inPrompt = syntax === undefined ? [] : parsePrompt(prompt, { syntax }).networks.map(({ name }) => name);
  const files = new Map(known.map((lora) => [lora.name, lora.path]));
  const unknown = Object.keys(loras).find((name) => !files.has(name));
  if (unknown !== undefined) {
    throw new InvalidOptionError('loras', `has ${JSON.stringify(unknown)}, which is not in the folder of LoRAs.`);
  }
  const wanted = new Set([...Object.keys(loras), ...inPrompt].filter((name) => files.has(name)));
  const attached = pipeline.attached.map(({ name }) => name);
  for (const name of attached) if (!wanted.has(name)) await pipeline.detach(name);
  const warnings: Warning[] = [];
  for (const name of wanted) {
    if (attached.includes(name)) continue;
    const result = await pipeline.attach(files.get(name)!, { name, kind: 'lora', signal });
    warnings.push(...result.warnings);
  }
  return warnings;
}
