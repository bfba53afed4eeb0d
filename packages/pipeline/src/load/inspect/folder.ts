import { adapterKinds, familyOfContext, unsupportedFiles } from '@sd/adapters';
import { lazyImport, type Source } from '@sd/core';
import { type Config, hasFile, readConfig } from '@sd/weights';
import { families, familyOfFolder } from '../../families/index.js';
import { folderFiles } from '../model-files.js';
import { classIn, folderFacts } from '../model-index.js';
import { isExportedFolder } from '../onnx-folder/is-exported.js';
import { describeUnsupported } from './find.js';
import type { FileKind, Finding } from './inspection.js';

/** Kinds by the class in a folder's `config.json`. */
const classes: ReadonlyMap<string, FileKind> = new Map([
  ...families.flatMap(({ noisePredictor, vae, textEncoders }): [string, FileKind][] => [
    ...[noisePredictor, vae].flatMap((component) =>
      component.classes.map((name): [string, FileKind] => [name, component.name]),
    ),
    ...textEncoders.flatMap((component) => component.classes.map((name): [string, FileKind] => [name, 'text-encoder'])),
  ]),
  ['CLIPVisionModel', 'image-encoder'],
  ['CLIPVisionModelWithProjection', 'image-encoder'],
  ...adapterKinds.flatMap(({ name, folder }) => (folder?.classes ?? []).map((key): [string, FileKind] => [key, name])),
]);

/** Files that stand for their whole folder. */
const representativeFiles = adapterKinds.flatMap(({ folder }) => folder?.files ?? []);

/** Recognises a folder: by its configs, or else by the file in it at the path returned. Undefined if it has neither. */
export async function findFolder(source: Source): Promise<Finding | string | undefined> {
  if (await hasFile(source, 'model_index.json')) return findPipeline(source);
  if (await hasFile(source, 'model.onnx')) return 'model.onnx';
  if (await hasFile(source, 'config.json')) return findComponent(await readConfig(source, 'config.json'));
  for (const file of representativeFiles) if (await hasFile(source, file)) return file;
  return undefined;
}

function findComponent(config: Config): Finding | undefined {
  const [architecture] = [config.get('architectures')].flat();
  const name = config.get('_class_name') ?? architecture;
  const kind = typeof name === 'string' ? classes.get(name) : undefined;
  if (kind === undefined) return typeof name === 'string' ? unsupportedClass(name) : undefined;
  const width = config.get('cross_attention_dim');
  const family = typeof width === 'number' ? familyOfContext(families, width)?.id : undefined;
  return { kind, layout: 'diffusers', details: { class: name as string }, family };
}

/** A folder of an unsupported model, named like its single files, or else by its class. */
function unsupportedClass(name: string): Finding {
  const row = unsupportedFiles.find(({ classes = [] }) => classes.includes(name));
  const named = row ?? { title: `a ${name}`, of: 'part' as const, marks: [] };
  return { ...describeUnsupported(named), layout: 'diffusers', details: { class: name, title: named.title } };
}

async function findPipeline(source: Source): Promise<Finding> {
  const index = await readConfig(source, 'model_index.json');
  const name = index.get('_class_name');
  const details = { class: typeof name === 'string' ? name : undefined };
  if (await isExportedFolder(source))
    return (await lazyImport(() => import('./onnx.js'))).findOnnxFolder(source, details.class);
  const facts = await folderFacts(folderFiles(source, undefined), (component) => classIn(index, component));
  const channels = facts.config.in_channels;
  const isSupported = families.some(({ noisePredictor }) =>
    noisePredictor.classes.includes(facts.classOf(noisePredictor.name) ?? ''),
  );
  if (channels === undefined || !isSupported) {
    const canDo = `It is a ${details.class ?? 'pipeline'}, without a noise predictor of a supported family.`;
    return { kind: 'unsupported', layout: 'diffusers', details, canDo };
  }
  const width = facts.config.cross_attention_dim;
  const family = (typeof width === 'number' && familyOfContext(families, width)) || familyOfFolder(facts);
  return {
    kind: 'pipeline',
    layout: 'diffusers',
    family: family.id,
    details: { ...details, channels: channels as number },
  };
}
