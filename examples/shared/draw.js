import { loadPipeline, SdError } from '@sd/pipeline';

/** @type {ReturnType<typeof loadPipeline> | undefined} */
let loading;

/** The pipeline of this process. It draws one request at a time; the others wait. */
export function pipeline() {
  loading ??= loadPipeline();
  return loading;
}

/**
 * Answers a POST with `{ prompt, steps, seed }` by lines of JSON, as they become known: `{ step, steps, preview }`, then
 * `{ image, seed }`, with images as data URLs; or `{ error }`. The run ends when the client leaves.
 * @param {Request} request
 */
export async function draw(request) {
  const leaving = new AbortController();
  request.signal.addEventListener('abort', () => leaving.abort(), { once: true });
  try {
    const { prompt, steps = 20, seed } = await request.json();
    const run = (await pipeline()).stream({ prompt, steps, seed, signal: leaving.signal });
    // Options are checked before the first event, so that a mistake in them has a status of its own.
    const first = await run.next();
    return new Response(lines(first, run, leaving), {
      headers: { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' },
    });
  } catch (error) {
    return Response.json({ error: message(error) }, { status: isMistake(error) ? 400 : 500 });
  }
}

/**
 * @param {IteratorResult<import('@sd/pipeline').PipelineEvent, import('@sd/pipeline').GenerateResult>} next
 * @param {AsyncGenerator<import('@sd/pipeline').PipelineEvent, import('@sd/pipeline').GenerateResult>} run
 * @param {AbortController} leaving
 */
function lines(next, run, leaving) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const send = (/** @type {object} */ line) => controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      try {
        if (next.done) {
          const [image] = next.value.images;
          send({ image: await dataUrl(image), seed: Number(next.value.seeds[0]) });
          controller.close();
          return;
        }
        const event = next.value;
        if (event.type === 'step') {
          send({ step: event.step + 1, steps: event.steps, preview: await dataUrl(await event.preview()) });
        } else {
          // A blank line, since a stream that sends nothing is not asked again.
          controller.enqueue(encoder.encode('\n'));
        }
        next = await run.next();
      } catch (error) {
        if (leaving.signal.aborted) return;
        send({ error: message(error) });
        controller.close();
      }
    },
    cancel: () => leaving.abort(),
  });
}

/** @param {import('@sd/pipeline').GenerateResult['images'][number]} image */
async function dataUrl(image) {
  return `data:image/png;base64,${Buffer.from(await image.toPng()).toString('base64')}`;
}

/** @param {unknown} error */
const isMistake = (error) =>
  error instanceof SyntaxError || (SdError.isInstance(error) && error.code === 'invalid-option');

/** @param {unknown} error */
const message = (error) => (error instanceof Error ? error.message : String(error));
