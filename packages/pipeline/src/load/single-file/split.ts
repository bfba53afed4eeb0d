import type { Family, FileLayout, SplitFile, Tensors } from '../../families/family.js';
import { families } from '../../families/index.js';

/**
 * Sorts the tensors of a file into the components of a model, under diffusers' names. Throws a CheckpointError if two
 * tensors would have the same name.
 */
export function splitFile(path: string, tensors: Tensors, layout: FileLayout): SplitFile {
  const used = new Map([...tensors].filter(([name]) => !layout.leftOver.test(name)));
  const unused: string[] = [];
  const byPrefix = new Map<string, Map<string, NonNullable<ReturnType<Tensors['get']>>>>();
  for (const [name, view] of used) {
    const prefix = layout.prefixes.find(({ mark }) => name.startsWith(mark))?.mark;
    if (prefix === undefined) {
      unused.push(name);
      continue;
    }
    const members = byPrefix.get(prefix) ?? new Map();
    byPrefix.set(prefix, members.set(name.slice(prefix.length), view));
  }
  if (byPrefix.size === 0) {
    const alone = layout.alone.find(({ mark }) => used.has(mark));
    if (alone !== undefined) {
      return { path, components: { [alone.component]: alone.translate(path, used) }, unused: [] };
    }
  }
  const components: Record<string, Tensors> = {};
  for (const { mark, component, translate } of layout.prefixes) {
    const members = byPrefix.get(mark);
    if (members !== undefined) components[component] = translate(path, members);
  }
  return { path, components, unused };
}

export interface RecognisedFile {
  /** Undefined for a file without the noise predictor of a supported family. */
  readonly family: Family | undefined;
  readonly split: SplitFile;
}

/** Finds the family of a file, and its tensors by component. The layouts are tried in the order of the families. */
export function recogniseFile(path: string, tensors: Tensors): RecognisedFile {
  const layouts = new Set(families.map(({ file }) => file.layout));
  const layout = [...layouts].find(({ matches }) => matches(tensors))!;
  const split = splitFile(path, tensors, layout);
  const family = families.find(({ file }) => file.layout === layout && file.recognises(split));
  return { family, split };
}
