import { loadPipeline } from '@sd/pipeline';
import express from 'express';

const sd = await loadPipeline();
const app = express();
app.use(express.json());
app.get('/', (_request, response) => response.send('POST { "prompt": "a red apple" } to /api/draw'));

/** Draws, and streams previews and the image as lines of JSON. */
app.post('/api/draw', async (request, response) => {
  const { prompt, steps = 20, seed } = request.body;
  const leaving = new AbortController();
  // Also emitted when the response is complete, where it has no effect.
  response.on('close', () => leaving.abort());
  const send = (line) => response.write(`${JSON.stringify(line)}\n`);
  try {
    const { images, seeds } = await sd.generate({
      prompt,
      steps,
      seed,
      signal: leaving.signal,
      async onStep(event) {
        if (!response.headersSent) response.type('application/x-ndjson');
        send({ step: event.step + 1, steps: event.steps, preview: await dataUrl(await event.preview()) });
      },
    });
    send({ image: await dataUrl(images[0]), seed: Number(seeds[0]) });
  } catch (error) {
    if (leaving.signal.aborted) return;
    if (response.headersSent) send({ error: error.message });
    else response.status(error.code === 'invalid-option' ? 400 : 500).json({ error: error.message });
  }
  response.end();
});

async function dataUrl(image) {
  return `data:image/png;base64,${Buffer.from(await image.toPng()).toString('base64')}`;
}

const server = app.listen(process.env.PORT ?? 3000, () => console.log(`http://localhost:${server.address().port}`));
