// A queue with 1, 2 and 4 worker processes: jobs a minute, and what a job costs Redis. The small fixture draws in some
// milliseconds, so that the queue shows, not the drawing:
//   node bench/queue.js [--jobs 200] [--model tiny]
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createQueue } from '@sd/queue';
import { Redis } from 'ioredis';
import { startRedis } from '../fixtures/redis-server.js';

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '200' }, model: { type: 'string', default: 'small' } },
});
const count = Number(values.jobs);
const small = values.model === 'small' ? { width: 16, height: 16 } : {};
const request = (seed) => ({ prompt: 'a blue car on a road', steps: 1, seed, ...small });
const server = await startRedis();
const redis = new Redis(server.url);

console.log(`${count} jobs of one step, ${values.model}`);
for (const workers of [1, 2, 4]) {
  const seconds = await timeJobs(workers);
  console.log(`  ${workers} workers   ${((60 * count) / seconds).toFixed()} jobs a minute`);
}
await measureJob();
redis.disconnect();
await server.stop();

/** Seconds that a number of workers take, once each has its model. */
async function timeJobs(workers) {
  const name = `bench-${workers}`;
  const queue = createQueue({ connection: server.url, name });
  const processes = Array.from({ length: workers }, () => startWorker(name));
  await warm(queue, workers);
  const start = performance.now();
  const jobs = await Promise.all(
    Array.from({ length: count }, (_, i) => queue.enqueue({ model: values.model, request: request(i) })),
  );
  await Promise.all(jobs.map((job) => job.result()));
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(processes.map(stop));
  await queue.close();
  return seconds;
}

/** Draws until every worker has drawn. */
async function warm(queue, workers) {
  for (const seen = new Set(); seen.size < workers; ) {
    const jobs = await Promise.all(
      Array.from({ length: 2 * workers }, () => queue.enqueue({ model: values.model, request: request(0) })),
    );
    for (const job of jobs)
      for await (const event of job.events()) if (event.type === 'started') seen.add(event.worker);
  }
}

/** Commands and bytes of one job of 20 steps with 4 previews, beside what an idle fleet says. */
async function measureJob() {
  const name = 'bench-job';
  const queue = createQueue({ connection: server.url, name });
  const worker = startWorker(name);
  await warm(queue, 1);
  const before = await counters();
  const job = await queue.enqueue({ model: values.model, previews: 4, request: { ...request(0), steps: 20 } });
  let previewBytes = 0;
  for await (const event of job.events()) {
    if (event.type === 'preview') previewBytes = Math.max(previewBytes, event.bytes.length);
  }
  const after = await counters();
  console.log('  one job of 20 steps with 4 previews, watched by one client:');
  console.log(`    commands     ${after.calls - before.calls}, of which scripts ${after.scripts - before.scripts}`);
  console.log(`    to Redis     ${((after.input - before.input) / 1024).toFixed(1)} KiB`);
  console.log(`    from Redis   ${((after.output - before.output) / 1024).toFixed(1)} KiB`);
  console.log(`    a preview    ${previewBytes} bytes`);
  await stop(worker);
  await queue.close();
}

async function counters() {
  const [stats, commands] = [await redis.info('stats'), await redis.info('commandstats')];
  const number = (text, name) => Number(new RegExp(`${name}:(\\d+)`).exec(text)?.[1] ?? 0);
  const called = (name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(commands)?.[1] ?? 0);
  return {
    calls: number(stats, 'total_commands_processed'),
    scripts: called('evalsha') + called('eval'),
    input: number(stats, 'total_net_input_bytes'),
    output: number(stats, 'total_net_output_bytes'),
  };
}

function startWorker(name) {
  return fork(new URL('queue-worker.js', import.meta.url), [server.url, name], { stdio: 'inherit' });
}

function stop(child) {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}
