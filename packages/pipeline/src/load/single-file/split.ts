import { unsupportedModel } from '@sd/adapters';
import type { Family, FileLayout, FilePart, SplitFile, Tensors } from '../../families/family.js';
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
  const nameOf = ({ component }: FilePart) => (typeof component === 'string' ? component : component(tensors));
  if (byPrefix.size === 0) {
    const alone = layout.alone.find(({ mark }) => used.has(mark));
    if (alone !== undefined) return { path, components: { [nameOf(alone)]: alone.translate(path, used) }, unused: [] };
  }
  const components: Record<string, Tensors> = {};
  for (const part of layout.prefixes) {
    const members = byPrefix.get(part.mark);
    if (members === undefined) continue;
    const name = nameOf(part);
    // If the file has a component under two prefixes, the first counts.
    if (components[name] === undefined) components[name] = part.translate(path, members);
    else unused.push(...[...members.keys()].map((member) => part.mark + member));
  }
  return { path, components, unused };
}

export interface RecognisedFile {
  /** Undefined for a file without the noise predictor of a supported family. */
  readonly family: Family | undefined;
  readonly split: SplitFile;
}

/**
 * Finds the family of a file, and its tensors by component. The layouts are tried in the order of the families. A model of
 * another kind may be built on a U-Net too, but belongs to no family.
 */
export function recogniseFile(path: string, tensors: Tensors): RecognisedFile {
  const layouts = new Set(families.map(({ file }) => file.layout));
  const layout = [...layouts].find(({ matches }) => matches(tensors))!;
  const split = splitFile(path, tensors, layout);
  const isForeign = unsupportedModel(tensors.keys()) !== undefined;
  const family = families.find(({ file }) => !isForeign && file.layout === layout && file.recognises(split));
  return { family, split };
}
