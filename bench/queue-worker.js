// A worker of bench/queue.js. The model `waiting` takes as long as on a GPU, and no processor: its runs wait.
import { createNodeBackend } from '@sd/backend-node';
import { createWorker } from '@sd/queue';
import { fixture } from '../fixtures/golden.js';

const [connection, name, milliseconds] = process.argv.slice(2);
const place = fixture('models/sd1');
const backend = createNodeBackend();
const waiting = {
  features: backend.features,
  async load(model, options) {
    const session = await backend.load(model, options);
    return {
      inputs: session.inputs,
      outputs: session.outputs,
      async run(feeds, runOptions) {
        await new Promise((resolve) => setTimeout(resolve, Number(milliseconds)));
        return session.run(feeds, runOptions);
      },
      dispose: () => session.dispose(),
    };
  },
  dispose: () => backend.dispose(),
};
const models = { small: { place }, tiny: {}, waiting: { place, options: { backend: waiting } } };
const worker = createWorker({ connection, name, models });
process.once('SIGTERM', async () => {
  await worker.close();
  await backend.dispose();
  process.exit();
});
