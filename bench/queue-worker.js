// A worker of bench/queue.js.
import { createWorker } from '@sd/queue';
import { fixture } from '../fixtures/golden.js';

const [connection, name] = process.argv.slice(2);
const worker = createWorker({ connection, name, models: { small: { place: fixture('models/sd1') }, tiny: {} } });
process.once('SIGTERM', async () => {
  await worker.close();
  process.exit();
});
