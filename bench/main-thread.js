// How long the page's main thread is blocked while a worker generates: its tasks in examples/browser, by Chromium's trace.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { handsOn } from '../examples/browser/e2e/hands.js';
import { launch, serveBuild } from '../examples/browser/e2e/site.js';

const steps = 20;

execFileSync('npm', ['run', 'build'], { cwd: fileURLToPath(new URL('../examples/browser', import.meta.url)) });
const site = await serveBuild();
const browser = await launch();
try {
  const page = await browser.newPage();
  const hands = handsOn(page);
  await traced('loading', async () => {
    await page.goto(site.url);
    await hands.waitFor('Ready');
  });
  await hands.set('steps', steps);
  for (const run of ['first run', 'second run']) await traced(`${run} of ${steps} steps`, () => hands.draw());
} finally {
  await browser.close();
  await site.close();
}

/** Runs an action, and prints how long the page's tasks took. */
async function traced(name, action) {
  const session = await browser.newBrowserCDPSession();
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await session.send('Tracing.start', {
    traceConfig: { includedCategories: ['disabled-by-default-devtools.timeline'] },
  });
  const start = performance.now();
  await action();
  const milliseconds = performance.now() - start;
  const complete = once(session, 'Tracing.tracingComplete');
  await session.send('Tracing.end');
  await complete;
  await session.detach();

  const tasks = tasksOfPage(events);
  const longest = (key) => tasks.reduce((most, task) => Math.max(most, (task[key] ?? 0) / 1000), 0);
  const busy = tasks.reduce((sum, { dur = 0 }) => sum + dur / 1000, 0);
  console.log(
    `${name}: ${(milliseconds / 1000).toFixed(1)} s, the page's longest task ${longest('dur').toFixed(1)} ms (${longest('tdur').toFixed(1)} ms of processor time), over 50 ms: ${tasks.filter(({ dur }) => dur > 50_000).length}, busy ${((busy / milliseconds) * 100).toFixed(1)}%`,
  );
}

/** Tasks on the main thread of the busiest renderer, without those of this program's own debugging session. */
function tasksOfPage(events) {
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const [busiest] = mains
    .map(({ pid, tid }) => events.filter((event) => event.pid === pid && event.tid === tid && event.ph === 'X'))
    .sort((a, b) => b.length - a.length);
  const debugging = busiest.filter(({ name }) => name.startsWith('DevToolsSession::'));
  const isDebugging = ({ ts, dur }) => debugging.some((event) => event.ts >= ts && event.ts < ts + dur);
  return busiest.filter((event) => event.name === 'RunTask' && !isDebugging(event));
}
