import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { EngineEvent, FinishedImageEvent, Job } from '../engine.js';
import { problemOf } from '../http/problem-of.js';
import type { Runtime } from '../runtime.js';
import { type AnswerContext, imagesResponse, streamEvent } from './answers.js';
import { errorBody } from './errors.js';
import type { ImageFields } from './fields.js';

/** Proxies close connections on which nothing is sent for a minute. */
const keepAliveMilliseconds = 15_000;

/** Draws a job, and answers with its images or streams them. `kind` is `image_generation` or `image_edit`. */
export async function answerJob(
  c: Context,
  runtime: Runtime,
  { job, fields, kind }: { readonly job: Omit<Job, 'id'>; readonly fields: ImageFields; readonly kind: string },
): Promise<Response> {
  const request = c.req.raw;
  const context: AnswerContext = { fields, runtime, request, output: job.output ?? { format: 'png' } };
  const leaving = new AbortController();
  const events = runtime.draw(job, request, leaving.signal);
  if (fields.stream !== true) {
    const images: FinishedImageEvent[] = [];
    for await (const event of events) if (event.type === 'image') images.push(event);
    return c.json(imagesResponse(images, context));
  }
  const first = await firstResult(events);
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => leaving.abort());
    const timer = setInterval(() => void stream.write(': waiting\n\n'), keepAliveMilliseconds);
    const send = (data: object, event: string) => stream.writeSSE({ event, data: JSON.stringify(data) });
    const partial = partialCounter();
    try {
      for await (const event of prepended(first, events)) {
        const type = event.type === 'preview' ? `${kind}.partial_image` : `${kind}.completed`;
        if (event.type !== 'preview' && event.type !== 'image') continue;
        const more =
          event.type === 'preview' ? { partial_image_index: partial(event.index) } : { seed: Number(event.seed) };
        await send(streamEvent(type, event.image, context, { ...more, image_index: event.index }), type);
      }
    } catch (error) {
      // The status is sent already: OpenAI's clients throw for this event.
      if (!leaving.signal.aborted) await send(errorBody(problemOf(error)), 'error');
    } finally {
      clearInterval(timer);
    }
  });
}

/** The first event that shows that the request is valid and the model has loaded: until then, errors have a status. */
async function firstResult(events: AsyncGenerator<EngineEvent, void, void>): Promise<EngineEvent | undefined> {
  for (;;) {
    const { done, value } = await events.next();
    if (done) return undefined;
    if (value.type !== 'queued' && value.type !== 'started') return value;
  }
}

async function* prepended(first: EngineEvent | undefined, rest: AsyncGenerator<EngineEvent, void, void>) {
  if (first !== undefined) yield first;
  yield* rest;
}

/** Counts the partial images of each image, from 0. */
function partialCounter() {
  const counts = new Map<number, number>();
  return (index: number) => {
    const count = counts.get(index) ?? 0;
    counts.set(index, count + 1);
    return count;
  };
}
