import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

const weightFile = /\.(safetensors|sft|ckpt|gguf|bin|onnx|onnx_data|data)$/i;

/**
 * Bytes of the weights of a model on this machine, before it is loaded: a file's size, or of each component in a folder the
 * files of one precision. Undefined for a place that is not a path.
 */
export async function weightBytes(place: string, variant?: string): Promise<number | undefined> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isDirectory()) return found.size;
  const entries = await readdir(place, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(place, name));
  const sizes = await Promise.all(folders.map((folder) => componentBytes(folder, variant)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A component's folder may hold the same weights in several formats and precisions, of which one is loaded. */
async function componentBytes(folder: string, variant: string | undefined): Promise<number> {
  const groups = new Map<string, number>();
  for (const name of await readdir(folder)) {
    if (!weightFile.test(name)) continue;
    const { size } = await stat(path.join(folder, name));
    const group = `${path.extname(name)} ${/\.(fp16|bf16|non_ema)[.-]/.exec(name)?.[1] ?? ''}`;
    groups.set(group, (groups.get(group) ?? 0) + size);
  }
  const chosen = [`.safetensors ${variant ?? ''}`, '.safetensors '].find((group) => groups.has(group));
  if (chosen !== undefined) return groups.get(chosen)!;
  const sizes = [...groups.values()];
  // ONNX keeps a graph and its weights in two files.
  return groups.has('.onnx ') ? sizes.reduce((sum, size) => sum + size, 0) : Math.max(0, ...sizes);
}
