import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('reference.py', import.meta.url));

/** Python's readers in a process of their own, started again after an input that ends it. */
export async function startReference(python) {
  let running = await start(python);
  return {
    async read(request) {
      const reply = await running.ask(JSON.stringify(request));
      if (reply !== undefined) return JSON.parse(reply);
      running = await start(python);
      return { error: 'the process died' };
    },
    end: () => running.end(),
  };
}

async function start(python) {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  const closed = once(lines, 'close').then(() => undefined);
  const next = () => Promise.race([once(lines, 'line').then(([line]) => line), closed]);
  child.stdin.on('error', () => {
    // Its end is seen where its answer is missing.
  });
  if ((await next()) !== 'ready') throw new Error(`${python} cannot run reference.py: see its imports.`);
  return {
    ask(line) {
      const reply = next();
      child.stdin.write(`${line}\n`);
      return reply;
    },
    end: () => child.kill(),
  };
}
