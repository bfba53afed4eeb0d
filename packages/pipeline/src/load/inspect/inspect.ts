import type { Source } from '@sd/core';
import { checkNames, checkOptional } from '../../checks.js';
import { locate, type Place } from '../locate.js';
import { adapterFinders } from './adapters.js';
import { findFolder } from './folder.js';
import { dtypesOf, openForInspection } from './inspected-file.js';
import type { FileKind, Finding, Inspection } from './inspection.js';
import { findModel } from './models.js';

const sentences: Readonly<Record<FileKind, string>> = {
  pipeline: 'loadPipeline() draws with it.',
  unet: 'loadPipeline(model, { unet: file }) draws with it in place of the model’s own U-Net.',
  vae: 'loadPipeline(model, { vae: file }) decodes with it in place of the model’s own VAE.',
  'text-encoder': 'It is a part of a model: load the model’s folder.',
  'image-encoder': 'It looks at pictures for an IP-Adapter: put it beside one as image_encoder.',
  lora: 'attach() adds it to a loaded model, with a strength.',
  controlnet: 'attach() adds it to a loaded model, to be led by a picture.',
  't2i-adapter': 'attach() adds it to a loaded model, to be led by a picture.',
  'ip-adapter': 'attach() adds it to a loaded model, to be prompted with pictures.',
  'textual-inversion': 'attach() adds its words to those of a loaded model.',
  hypernetwork: 'attach() adds it to a loaded model, with a strength.',
  'motion-adapter': 'attach() adds it to a loaded model, which then makes clips.',
  onnx: 'It is a model that was exported to ONNX.',
  unknown: 'It is nothing that this version supports.',
};

export interface InspectOptions {
  /** Which file of a Source it is; a folder, if left out. */
  readonly path?: string;
}

/** See `inspect` in ../inspect.ts, which loads this when it is needed. */
export async function inspect(place: Place, options: InspectOptions = {}): Promise<Inspection> {
  checkNames('inspect', options, ['path'] satisfies (keyof InspectOptions)[]);
  const { path } = options;
  checkOptional('path', path, typeof path === 'string', 'a string');
  const located = await locate(place, path);
  if (located.path !== '') return inspectFile(located.source, located.path);
  const found = await findFolder(located.source);
  if (typeof found === 'string') return inspectFile(located.source, found);
  const { dtypes = [], ...finding }: Finding & { readonly dtypes?: readonly string[] } = found ?? { kind: 'unknown' };
  return told(finding, dtypes);
}

async function inspectFile(source: Source, path: string): Promise<Inspection> {
  if (/\.onnx$/i.test(path)) {
    const { dtypes, ...finding } = await (await import('./onnx.js')).findOnnxFile(source, path);
    return told(finding, dtypes);
  }
  const file = await openForInspection(source, path);
  const dtypes = dtypesOf(file.tensors);
  for (const find of [...adapterFinders, findModel]) {
    const found = await find(file);
    if (found !== undefined) return told(found, dtypes);
  }
  return told({ kind: 'unknown', details: { firstTensor: file.tensors.keys().next().value } }, dtypes);
}

function told(
  { family, layout, details = {}, kind, canDo = sentences[kind] }: Finding,
  dtypes: readonly string[],
): Inspection {
  const known = Object.entries(details).filter(
    (entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== undefined,
  );
  return {
    kind,
    ...(family && { family }),
    ...(layout !== undefined && { layout }),
    dtypes,
    details: Object.fromEntries(known),
    canDo,
  };
}
