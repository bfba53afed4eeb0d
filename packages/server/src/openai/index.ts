import { Hono } from 'hono';
import type { Api } from '../api.js';
import type { ModelInfo } from '../engine.js';
import type { Runtime } from '../runtime.js';
import { unknownModel } from '../unknown-model.js';
import { answerJob } from './draw.js';
import { editImages, onlyImage } from './edit-images.js';
import { errorBody } from './errors.js';
import { editFields, generationFields, variationFields } from './fields.js';
import { jobFrom } from './job.js';
import { readForm, readJson } from './read-body.js';

/** How much of the image a variation changes, of 0 to 1. */
const variationStrength = 0.7;

/** OpenAI's Images API and Models API, as of `openai` 6.49. */
export const openai: Api = { prefix: '/v1', routes, errorBody };

function routes(runtime: Runtime): Hono {
  const { limits, engine } = runtime;
  const app = new Hono();
  app.post('/images/generations', async (c) => {
    const fields = await readJson(c.req.raw, generationFields);
    return answerJob(c, runtime, { fields, job: jobFrom(fields, limits), kind: 'image_generation' });
  });
  app.post('/images/edits', async (c) => {
    const form = await readForm(c.req.raw, editFields, ['image', 'mask']);
    const [mask] = await form.files('mask');
    const images = await editImages(await onlyImage(form), mask, limits.pixels);
    return answerJob(c, runtime, { ...form, job: jobFrom(form.fields, limits, images), kind: 'image_edit' });
  });
  app.post('/images/variations', async (c) => {
    const form = await readForm(c.req.raw, variationFields, ['image']);
    const { image, width, height, fit } = await editImages(await onlyImage(form), undefined, limits.pixels);
    const fields = { prompt: '', strength: variationStrength, ...form.fields };
    const job = jobFrom(fields, limits, { image, width, height, fit });
    return answerJob(c, runtime, { fields, job, kind: 'image_variation' });
  });
  app.get('/models', async (c) => {
    const models = await engine.models();
    return c.json({ object: 'list', data: models.map(modelObject) });
  });
  app.get('/models/:model{.+}', async (c) => {
    const models = await engine.models();
    const found = models.find(({ name }) => name === c.req.param('model'));
    if (found === undefined) throw unknownModel(c.req.param('model'), models);
    return c.json(modelObject(found));
  });
  return app;
}

function modelObject({ name, created }: ModelInfo): object {
  return { id: name, object: 'model', created, owned_by: 'sd' };
}
