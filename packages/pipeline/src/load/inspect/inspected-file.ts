import { type Source, sizeOf } from '@sd/core';
import { isTorchFile, openPickle, openSafetensors, type TensorView } from '@sd/weights';

/** A file that is looked at: names and shapes, and what is beside them. */
export interface InspectedFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorView>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The whole of a file that torch saved, as plain data. */
  readonly value?: unknown;
}

export async function openForInspection(source: Source, path: string): Promise<InspectedFile> {
  if (!(await isTorchFile(source, path))) return { path, ...(await openSafetensors(source, path)) };
  return { path, metadata: {}, ...(await openPickle(source, path)) };
}

/** Types of the values, those of most values first. */
export function dtypesOf(tensors: InspectedFile['tensors']): string[] {
  const counts = new Map<string, number>();
  for (const { dtype, shape } of tensors.values()) counts.set(dtype, (counts.get(dtype) ?? 0) + sizeOf(shape));
  return [...counts].sort(([, a], [, b]) => b - a).map(([dtype]) => dtype);
}

/** The shape of the first tensor whose name matches. */
export function shapeOf({ tensors }: Pick<InspectedFile, 'tensors'>, name: RegExp): readonly number[] | undefined {
  for (const [own, { shape }] of tensors) if (name.test(own)) return shape;
  return undefined;
}

/** In how many places the pattern's group has different values. */
export function countOf({ tensors }: Pick<InspectedFile, 'tensors'>, name: RegExp): number {
  return new Set([...tensors.keys()].flatMap((own) => name.exec(own)?.[1] ?? [])).size;
}
