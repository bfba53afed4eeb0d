// A worker process, as `sd worker` starts one: it is killed by the tests, or kills itself with the model `poison`.
import { createWorker } from '@sd/queue';
import { fixture } from '../../../fixtures/golden.js';

const [connection, store] = process.argv.slice(2);
const place = fixture('models/sd1');
const tokenizer = { maxLength: 77, encode: () => process.kill(process.pid, 'SIGKILL') };
const worker = createWorker({
  connection,
  store,
  models: { small: { place }, poison: { place, options: { components: { tokenizer }, releaseStages: true } } },
  maxLoaded: 2,
  deadAfterMs: 6_000,
});
process.once('SIGTERM', async () => {
  await worker.close();
  process.exit();
});
process.send?.(worker.id);
