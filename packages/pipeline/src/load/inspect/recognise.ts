import { type AdapterFile, type AdapterKind, adapterKinds } from '@sd/adapters';
import { lazyImport, type Source, sizeOf } from '@sd/core';
import { fileFormat, openWeights, type WeightsFile } from '@sd/weights';
import { families } from '../../families/index.js';
import type { Located } from '../locate.js';
import { findWeights } from './find.js';
import { findFolder } from './folder.js';
import type { Finding, Inspection } from './inspection.js';

const usages: Readonly<Record<string, string>> = {
  pipeline: 'loadPipeline() draws with it.',
  ...Object.fromEntries(
    families.flatMap(({ noisePredictor, vae }) =>
      [noisePredictor, vae].map(({ name }) => [
        name,
        `loadPipeline(model, { components: { ${name}: file } }) uses it in place of the model’s own.`,
      ]),
    ),
  ),
  'text-encoder': 'It is a part of a model: load the model’s folder.',
  'image-encoder': 'It looks at images for an IP-Adapter: put it next to one as image_encoder.',
  ...Object.fromEntries(adapterKinds.map(({ name, usage }) => [name, usage])),
  onnx: 'It is a model that was exported to ONNX.',
  unknown: 'It is not a file of a known kind.',
};

/** A recognised file or folder, opened as far as that required. */
export interface Recognised extends Omit<AdapterFile, 'name'> {
  readonly inspection: Inspection;
  /** Undefined if it is not an adapter. */
  readonly adapterKind: AdapterKind | undefined;
}

/** Recognises a file or folder by its names, shapes and configs. */
export async function recognise({ source, path }: Located): Promise<Recognised> {
  if (path !== '') return recogniseFile(source, path);
  const found = await findFolder(source);
  if (typeof found === 'string') return recogniseFile(source, found);
  const { dtypes = [], ...finding } = found ?? { kind: 'unknown' };
  return recognised({ source, path }, finding, dtypes);
}

async function recogniseFile(source: Source, path: string): Promise<Recognised> {
  if ((await fileFormat(source, path)) === 'onnx') {
    const { dtypes, ...finding } = await (await lazyImport(() => import('./onnx.js'))).findOnnxFile(source, path);
    return recognised({ source, path }, finding, dtypes);
  }
  const weights = await openWeights(source, path);
  const finding = findWeights(weights);
  // The architecture that a GGUF file states.
  const architecture = weights.metadata['general.architecture'];
  const details = { ...finding.details, ...(architecture !== undefined && { architecture }) };
  return recognised({ source, path, weights }, { ...finding, details }, dtypesOf(weights));
}

/** Data types, that of the most values first. */
function dtypesOf({ stored }: WeightsFile): string[] {
  const counts = new Map<string, number>();
  for (const { dtype, shape } of stored.values()) counts.set(dtype, (counts.get(dtype) ?? 0) + sizeOf(shape));
  return [...counts].sort(([, a], [, b]) => b - a).map(([dtype]) => dtype);
}

function recognised(
  file: Omit<AdapterFile, 'name'>,
  { family, layout, details = {}, kind, canDo = usages[kind] }: Finding,
  dtypes: readonly string[],
): Recognised {
  const known = Object.entries(details).filter(
    (entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== undefined,
  );
  return {
    ...file,
    adapterKind: adapterKinds.find(({ name }) => name === kind),
    inspection: {
      kind,
      ...(family && { family }),
      ...(layout !== undefined && { layout }),
      dtypes,
      details: Object.fromEntries(known),
      canDo,
    },
  };
}
