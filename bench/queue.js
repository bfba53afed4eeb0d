// A queue with 1, 2 and 4 worker processes: jobs a minute, and what a job costs Redis.
//   node bench/queue.js [--jobs 200] [--model small|tiny|waiting] [--wait 100]
// `small` draws in some milliseconds, so that the queue shows, not the drawing. `waiting` waits for `--wait` milliseconds in
// each of its three runs, as for a GPU: it shows how workers scale where they do not share processors.
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createQueue } from '@sd/queue';
import { Redis } from 'ioredis';
import { startRedis } from '../fixtures/redis-server.js';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '200' },
    model: { type: 'string', default: 'small' },
    wait: { type: 'string', default: '100' },
  },
});
const { model, wait } = values;
const count = Number(values.jobs);
const size = model === 'tiny' ? {} : { width: 16, height: 16 };
const request = (seed) => ({ prompt: 'a blue car on a road', steps: 1, seed, ...size });
const server = await startRedis();

console.log(`${count} jobs of one step, ${model}`);
for (const workers of [1, 2, 4]) {
  const seconds = await timeJobs(workers);
  console.log(`  ${workers} workers   ${((60 * count) / seconds).toFixed()} jobs a minute`);
}
await measureJob();
await server.stop();

/** Seconds that a number of workers take, once each has its model. */
async function timeJobs(workers) {
  const fleet = await startFleet(`bench-${workers}`, workers);
  const start = performance.now();
  await fleet.draw(count);
  const seconds = (performance.now() - start) / 1000;
  await fleet.stop();
  return seconds;
}

/** Commands and bytes of one job of 20 steps with 4 previews. */
async function measureJob() {
  const fleet = await startFleet('bench-job', 1);
  const redis = new Redis(server.url);
  const watched = await redis.monitor();
  const commands = [];
  watched.on('monitor', (_, [name], source) => source !== 'lua' && commands.push(name.toLowerCase()));
  const before = await traffic(redis);
  const job = await fleet.queue.enqueue({ model, previews: 4, request: { ...request(0), steps: 20 } });
  let previewBytes = 0;
  for await (const event of job.events()) {
    if (event.type === 'preview') previewBytes = Math.max(previewBytes, event.bytes.length);
  }
  const after = await traffic(redis);
  const counts = new Map();
  for (const name of commands) counts.set(name, (counts.get(name) ?? 0) + 1);
  const listed = [...counts].sort(([, a], [, b]) => b - a).map(([name, times]) => `${name} ${times}`);
  console.log('  one job of 20 steps with 4 previews, watched by one client:');
  console.log(`    commands     ${commands.length}: ${listed.join(', ')}`);
  console.log(`    to Redis     ${((after - before) / 1024).toFixed(1)} KiB`);
  console.log(`    a preview    ${previewBytes} bytes, as base64 in Redis ${Math.ceil(previewBytes / 3) * 4}`);
  watched.disconnect();
  redis.disconnect();
  await fleet.stop();
}

async function startFleet(name, workers) {
  const queue = createQueue({ connection: server.url, name });
  const script = new URL('queue-worker.js', import.meta.url);
  const processes = Array.from({ length: workers }, () => fork(script, [server.url, name, wait], { stdio: 'inherit' }));
  // Until every worker has drawn, and so has its model.
  for (const seen = new Set(); seen.size < workers; ) {
    const jobs = await Promise.all(
      Array.from({ length: 2 * workers }, () => queue.enqueue({ model, request: request(0) })),
    );
    for (const job of jobs)
      for await (const event of job.events()) if (event.type === 'started') seen.add(event.worker);
  }
  return {
    queue,
    async draw(jobCount) {
      const jobs = Array.from({ length: jobCount }, (_, i) => queue.enqueue({ model, request: request(i) }));
      for (const job of jobs) await (await job).result();
    },
    async stop() {
      await Promise.all(processes.map(stopped));
      await queue.close();
    },
  };
}

function stopped(child) {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}

/** Bytes that Redis has received. */
async function traffic(redis) {
  return Number(/total_net_input_bytes:(\d+)/.exec(await redis.info('stats'))[1]);
}
