import { freemem, totalmem } from 'node:os';
import { formatParameters, readParameters } from '@sd/image';
import type { Hono } from 'hono';
import type { ModelInfo } from '../engine.js';
import { text } from '../http/fields.js';
import type { Runtime } from '../runtime.js';
import { imageBytes } from './image-bytes.js';
import { readBody } from './read-body.js';
import { samplerList, schedulerList } from './samplers.js';
import type { A1111Session } from './session.js';

/** Lists of what there is not: front ends ask for them, and show none. */
const emptyLists = ['hypernetworks', 'face-restorers', 'realesrgan-models', 'prompt-styles', 'sd-vae'];

/** The paths that answer what there is. */
export function addInformation(app: Hono, { engine }: Runtime, session: A1111Session): void {
  app.get('/options', async (c) => {
    const [first] = await engine.models();
    return c.json({
      samples_format: session.options.samples_format ?? 'png',
      sd_model_checkpoint: session.options.sd_model_checkpoint ?? first?.name ?? null,
      sd_checkpoint_hash: '',
      sd_vae: 'Automatic',
      CLIP_stop_at_last_layers: session.options.CLIP_stop_at_last_layers ?? 1,
      eta_noise_seed_delta: 0,
      randn_source: 'GPU',
    });
  });
  app.get('/sd-models', async (c) => c.json((await engine.models()).map(modelEntry)));
  app.get('/samplers', (c) => c.json(samplerList));
  app.get('/schedulers', (c) => c.json(schedulerList));
  app.get('/upscalers', (c) => {
    const names = ['None', 'Lanczos', 'Nearest'];
    return c.json(names.map((name) => ({ name, model_name: null, model_path: null, model_url: null, scale: 4 })));
  });
  app.get('/latent-upscale-modes', (c) => c.json([{ name: 'Latent' }]));
  app.get('/loras', async (c) => {
    const loras = (await engine.loras?.()) ?? [];
    return c.json(loras.map(({ name, path }) => ({ name, alias: name, path, metadata: {} })));
  });
  app.get('/embeddings', (c) => c.json({ loaded: {}, skipped: {} }));
  for (const name of emptyLists) app.get(`/${name}`, (c) => c.json([]));
  app.get('/scripts', (c) => c.json({ txt2img: [], img2img: [] }));
  app.get('/script-info', (c) => c.json([]));
  app.get('/extensions', (c) => c.json([]));
  app.get('/cmd-flags', (c) => c.json({ api: true, nowebui: true }));
  app.get('/memory', (c) => {
    const [free, total] = [freemem(), totalmem()];
    return c.json({ ram: { free, used: total - free, total }, cuda: { error: 'unavailable' } });
  });
  // The lists are read anew for each request.
  for (const name of ['checkpoints', 'loras', 'vae']) app.post(`/refresh-${name}`, (c) => c.json(null));
  app.post('/png-info', async (c) => {
    const { image } = await readBody(c);
    const found = await readParameters(imageBytes('image', text('image', image)));
    if (found === undefined) return c.json({ info: '', items: {}, parameters: {} });
    const { prompt, negativePrompt, settings } = found;
    const info = formatParameters(found);
    const parameters = { Prompt: prompt, 'Negative prompt': negativePrompt, ...settings };
    return c.json({ info, items: { parameters: info }, parameters });
  });
}

function modelEntry({ name, place }: ModelInfo): object {
  return { title: name, model_name: name, hash: null, sha256: null, filename: place ?? name, config: null };
}
