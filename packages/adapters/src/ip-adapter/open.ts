import { InvalidOptionError, row, SourceError, settleAll, stack } from '@sd/core';
import { type ImageInput, preprocessImage, readImage } from '@sd/image';
import { loadImageEncoder } from '@sd/image-encoder';
import type { Adapter, AdapterFile, AttachContext } from '../adapter.js';
import { readStrength } from '../image-settings.js';
import { fileTitle, requireBackend, requireUnet, requireWeights } from '../requirements.js';
import { expectEncoder } from './encoders.js';
import { imagePromptCondition } from './image-prompt.js';
import { loadIpAdapter } from './ip-adapter.js';
import { type IpAdapterSettings, ipAdapterOptions } from './settings.js';

/** Opens an IP-Adapter, and the image encoder that it goes with: by default the folder `image_encoder` next to the file. */
export async function openIpAdapter(file: AdapterFile, context: AttachContext): Promise<Adapter> {
  const { name, source, path } = file;
  const { imageEncoder = 'image_encoder', families } = context;
  const backend = requireBackend(context, 'an IP-Adapter');
  const unet = requireUnet(context);
  const adapter = await loadIpAdapter({ name, file: requireWeights(file), backend, unet, families });
  const isCallers = typeof imageEncoder === 'object';
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const encoder = isCallers
    ? imageEncoder
    : await loadImageEncoder({ source, backend, folder: `${folder}${imageEncoder}` }).catch(explain);
  expectEncoder(fileTitle(file), adapter, encoder, isCallers ? 'imageEncoder' : `${folder}${imageEncoder}`);

  return {
    name,
    kind: 'ip-adapter',
    extensions: { [context.model.noisePredictorComponent]: adapter.extension },
    async use(settings, option) {
      if (settings === undefined) return {};
      const strength = readStrength(option, settings, ipAdapterOptions, 'an IP-Adapter');
      const images = await readImages((settings as IpAdapterSettings).image, `${option}.image`);
      const encode = (signal: AbortSignal | undefined) => {
        const pixels = images.map((image) => row(preprocessImage(image, encoder.preprocessing, `${option}.image`), 0));
        return adapter.prompt(encoder, stack(pixels), { signal });
      };
      // The encoder sees images of one size, whatever size is drawn: they are encoded once per run.
      let encoded: ReturnType<typeof encode> | undefined;
      return {
        async condition({ signal }) {
          encoded ??= encode(signal);
          return imagePromptCondition(name, await encoded, strength);
        },
      };
    },
    async release() {
      await settleAll([encoder, adapter].map((part) => () => part.release?.()));
    },
    async dispose() {
      await settleAll((isCallers ? [adapter] : [adapter, encoder]).map((part) => () => part.dispose?.()));
    },
  };
}

async function readImages(input: IpAdapterSettings['image'], option: string) {
  const inputs = (Array.isArray(input) ? input : [input]) as readonly ImageInput[];
  if (inputs.length === 0) throw new InvalidOptionError(option, 'must be at least one image.');
  return settleAll(inputs.map((image) => () => readImage(image, option)));
}

function explain(error: unknown): never {
  if (!(error instanceof SourceError && error.code === 'not-found')) throw error;
  throw new SourceError(
    'not-found',
    error.path,
    `There is no ${error.path}: an IP-Adapter needs the image encoder that it was trained with. Give attach() the option imageEncoder: its folder next to the file, or a stage.`,
    { cause: error },
  );
}
