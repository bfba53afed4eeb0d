import { imagePromptCondition, loadIpAdapter } from '@sd/adapters';
import { row, SourceError, stack } from '@sd/core';
import { preprocessImage } from '@sd/image';
import { loadImageEncoder } from '@sd/image-encoder';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { backendOf } from './backend-of.js';
import { unetConfigOf } from './checkpoint-unet.js';

/** Opens an IP-Adapter, and the image encoder that it goes with: by default the folder `image_encoder` beside it. */
export async function openIpAdapter(file: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const { name, source, path } = file;
  const { imageEncoder = 'image_encoder' } = context;
  const backend = backendOf(context, 'an IP-Adapter');
  const adapter = await loadIpAdapter({ name, source, path, backend, unet: unetConfigOf(context) });
  const given = typeof imageEncoder === 'object';
  const beside = path.slice(0, path.lastIndexOf('/') + 1);
  const encoder = given
    ? imageEncoder
    : await loadImageEncoder({ source, backend, folder: `${beside}${imageEncoder}` }).catch(explained);

  return {
    name,
    kind: 'ip-adapter',
    unet: adapter.extension,
    pictures: {
      read(pictures, option) {
        const encode = (signal: AbortSignal | undefined) => {
          const pixels = pictures.map((picture) => row(preprocessImage(picture, encoder.preprocessing, option), 0));
          return adapter.prompt(encoder, stack(pixels), { ...(signal && { signal }) });
        };
        // What the encoder sees is of one size, whatever is drawn.
        let encoded: ReturnType<typeof encode> | undefined;
        return async ({ signal }) => {
          encoded ??= encode(signal);
          const prompt = await encoded;
          return ({ strength }) => imagePromptCondition(name, prompt, strength);
        };
      },
    },
    async release() {
      await Promise.all([encoder.release?.(), adapter.release?.()]);
    },
    async dispose() {
      await Promise.all([adapter.dispose?.(), given ? undefined : encoder.dispose?.()]);
    },
  };
}

function explained(error: unknown): never {
  if (!(error instanceof SourceError && error.code === 'not-found')) throw error;
  throw new SourceError(
    'not-found',
    error.path,
    `There is no ${error.path}: an IP-Adapter needs the image encoder that it was trained with. Give attach() the option imageEncoder: its folder beside the file, or a stage.`,
    { cause: error },
  );
}
