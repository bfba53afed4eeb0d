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
    const partial = partialCounter();
    // Not awaited: a client that reads slowly must not hold the pipeline. What waits for it is at most its own images.
    let sent: Promise<unknown> = Promise.resolve();
    const send = (event: string, data: object) => {
      sent = sent.then(() => stream.writeSSE({ event, data: JSON.stringify(data) }));
    };
    try {
      for await (const event of prepended(first, events)) {
        if (event.type === 'preview') {
          const place = { partial_image_index: partial(event.index), image_index: event.index };
          send(`${kind}.partial_image`, streamEvent(`${kind}.partial_image`, event.image, context, place));
        }
        if (event.type === 'image') {
          const place = { seed: Number(event.seed), image_index: event.index };
          send(`${kind}.completed`, streamEvent(`${kind}.completed`, event.image, context, place));
        }
      }
    } catch (error) {
      // The status is sent already: OpenAI's clients throw for this event.
      if (!leaving.signal.aborted) send('error', errorBody(problemOf(error)));
    } finally {
      clearInterval(timer);
      await sent;
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
