// A fleet of four workers that survives a kill: starts Redis and four `sd worker`, queues 12 jobs, kills a worker that
// draws, and compares what the others made of its job with the same job drawn again.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createQueue } from '@sd/queue';
import { redisBinary, startRedis } from '../../fixtures/redis-server.js';

if (redisBinary === undefined) {
  console.log('Skipped: install redis-server or valkey-server first.');
  process.exit();
}

const start = performance.now();
const say = (text) => console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${text}`);
const main = fileURLToPath(new URL('dist/main.js', import.meta.resolve('@sd/cli/package.json')));

const server = await startRedis();
const queue = createQueue({ connection: server.url });
const startWorker = () =>
  spawn(process.execPath, [main, 'worker', '--queue', server.url, '--dead-after', '4'], { stdio: 'ignore' });
const workers = Array.from({ length: 4 }, startWorker);
const request = (seed) => ({ prompt: 'a blue car on a road', steps: 1, seed });
const jobs = await Promise.all(Array.from({ length: 12 }, (_, seed) => queue.enqueue({ request: request(seed) })));
say('12 jobs are queued for four workers');

const victimJob = jobs[5];
const killed = await killWhoDraws(victimJob);
say(`worker ${killed} was killed while it drew job 5`);

const results = await Promise.all(jobs.map((job) => job.result()));
say(`all ${results.length} jobs are drawn`);
const attempts = await startsOf(victimJob);
say(`job 5 was started ${attempts} times, and has ${results[5].images.length} image`);

const again = await (await queue.enqueue({ request: request(5) })).result();
const [first, second] = await Promise.all([results[5], again].map(({ images }) => images[0].bytes()));
const isSame = Buffer.compare(Buffer.from(first), Buffer.from(second)) === 0;
say(`drawn again with its seed, it is ${isSame ? 'the same to the bit' : 'ANOTHER image'}`);

await Promise.all(workers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).map(stop));
await queue.close();
await server.stop();
if (!isSame || attempts !== 2 || results.length !== 12) process.exitCode = 1;

/** Kills the worker of a job with its first sign of life; resolves to the worker's process id. */
async function killWhoDraws(job) {
  for await (const event of job.events()) {
    if (event.type !== 'started') continue;
    const pid = Number(event.worker.split('-').at(-2));
    process.kill(pid, 'SIGKILL');
    return pid;
  }
}

async function startsOf(job) {
  let starts = 0;
  for await (const event of job.events()) if (event.type === 'started') starts++;
  return starts;
}

function stop(child) {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}
