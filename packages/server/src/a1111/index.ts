import { Hono } from 'hono';
import type { Api } from '../api.js';
import { readFields } from '../http/fields.js';
import type { Problem } from '../http/http-error.js';
import type { Runtime } from '../runtime.js';
import { answerOf, drawImages } from './draw.js';
import { img2imgFields, txt2imgFields } from './fields.js';
import { img2imgFrom } from './img2img.js';
import { addInformation } from './information.js';
import { modelName, outputOf, readOptions } from './options.js';
import { readBody } from './read-body.js';
import { checkA1111, requestFrom } from './request.js';
import { type A1111Session, progressOf } from './session.js';

/** A1111's API, as of its version 1.10: what front ends call to draw. */
export const a1111: Api = { prefix: '/sdapi/v1', routes, errorBody };

function routes(runtime: Runtime): Hono {
  const { limits } = runtime;
  const session: A1111Session = { options: {} };
  const app = new Hono();
  const settingsOf = (override: Readonly<Record<string, unknown>> | undefined) => ({
    ...session.options,
    ...readOptions(override),
  });
  app.post('/txt2img', async (c) => {
    const body = await readBody(c);
    const fields = readFields(body, txt2imgFields);
    const settings = settingsOf(fields.override_settings);
    const request = requestFrom(fields, settings, limits);
    const model = modelName(settings.sd_model_checkpoint);
    const output = outputOf(settings);
    const drawn = await drawImages(runtime, session, { request, model, output }, c.req.raw);
    return c.json(answerOf(drawn, request, body, fields.send_images));
  });
  app.post('/img2img', async (c) => {
    const body = await readBody(c);
    const fields = readFields(body, img2imgFields);
    const settings = settingsOf(fields.override_settings);
    const { request, finish } = await img2imgFrom(
      fields,
      requestFrom({ ...fields, enable_hr: false }, settings, limits),
    );
    // Without a size, it is the image's.
    checkA1111(request, limits);
    const model = modelName(settings.sd_model_checkpoint);
    // A mask's result is put together from pixels, and written as PNG.
    const output = finish === undefined ? outputOf(settings) : undefined;
    const drawn = await drawImages(runtime, session, { request, model, output, finish }, c.req.raw);
    const images = fields.include_init_images === true ? {} : { init_images: null, mask: null };
    return c.json(answerOf(drawn, request, { ...body, ...images }, fields.send_images));
  });
  app.get('/progress', (c) => c.json(progressOf(session, c.req.query('skip_current_image') !== 'true')));
  for (const stop of ['interrupt', 'skip'] as const) {
    app.post(`/${stop}`, (c) => {
      const { run } = session;
      if (run !== undefined) {
        run.stop = stop;
        run.abort();
      }
      return c.json(null);
    });
  }
  app.post('/options', async (c) => {
    session.options = { ...session.options, ...readOptions(await readBody(c)) };
    return c.json(null);
  });
  addInformation(app, runtime, session);
  return app;
}

/** An error in A1111's form; `detail` is what FastAPI answers. */
function errorBody({ code, message }: Problem): object {
  return { error: code, detail: message, body: '', errors: message };
}
