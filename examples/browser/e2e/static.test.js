import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder as model } from '@sd/model-tiny';
import { build } from 'esbuild';
import { launch } from './site.js';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** A minimal server: no ranges, no caching, no headers except the content type. */
async function serve(root) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://here');
    const file = path.join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    try {
      const bytes = await readFile(file);
      response.writeHead(200, { 'Content-Type': types[path.extname(file)] ?? 'application/octet-stream' });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

let root;
let server;
let browser;
let page;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'sd-static-'));
  const source = fileURLToPath(new URL('static/', import.meta.url));
  await build({
    entryPoints: [`${source}page.js`, `${source}worker.js`],
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    outdir: root,
    logLevel: 'error',
  });
  await cp(`${source}index.html`, path.join(root, 'index.html'));
  await cp(fileURLToPath(model), path.join(root, 'model'), { recursive: true });
  const runtime = createRequire(import.meta.resolve('@sd/backend-web'));
  await cp(runtime.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'), path.join(root, 'ort.wasm'));
  server = await serve(root);
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  if (root !== undefined) await rm(root, { recursive: true });
});

test('bundled files on a plain server generate in a worker', { timeout: 300_000 }, async () => {
  const { provider, codes, files, sizes, bytes } = await page.evaluate(async () => {
    const { sd, files } = await globalThis.load();
    const previews = [];
    const { images } = await sd.generate({
      prompt: 'a blue car on a road',
      steps: 3,
      seed: 3,
      onStep: async (step) => previews.push(await step.preview()),
    });
    const png = await images[0].toPng();
    await sd.dispose();
    return {
      provider: sd.provider,
      codes: sd.warnings.map(({ code }) => code),
      files: [...files],
      sizes: [...previews, ...images].map(({ width, height }) => [width, height]),
      bytes: png.length,
    };
  });
  assert.equal(provider, 'wasm');
  assert.ok(codes.includes('one-thread'), codes.join());
  assert.ok(files.includes('unet/diffusion_pytorch_model.safetensors'), files.join());
  assert.deepEqual(sizes, [
    [16, 16],
    [16, 16],
    [16, 16],
    [128, 128],
  ]);
  assert.ok(bytes > 10_000);
});

test('a lost worker rejects pending calls, and a new one takes over', { timeout: 300_000 }, async () => {
  const outcome = await page.evaluate(async () => {
    const { worker, sd } = await globalThis.load();
    const told = (error) => ({ name: error.name, code: error.code, message: error.message });
    const first = sd.generate({
      prompt: 'a red apple',
      steps: 500,
      onStep: ({ step }) => step === 1 && worker.terminate(),
    });
    const second = sd.generate({ prompt: 'a banana' });
    const waiting = await Promise.all([first.catch(told), second.catch(told)]);
    const later = await sd.generate({ prompt: 'a tree' }).catch(told);
    await sd.dispose();
    const again = await globalThis.load();
    const { seeds } = await again.sd.generate({ prompt: 'a tree', steps: 1, seed: 9 });
    await again.sd.dispose();
    return { lost: [...waiting, later], seeds };
  });
  for (const { name, code, message } of outcome.lost) {
    assert.deepEqual([name, code], ['BackendError', 'backend']);
    assert.match(message, /was lost: it has ended/);
  }
  assert.deepEqual(outcome.seeds, [9]);
});

test('a missing worker script is an error', { timeout: 60_000 }, async () => {
  const error = await page.evaluate(async () => {
    const worker = new Worker('nowhere.js', { type: 'module' });
    return globalThis.loadIn(worker).catch(({ name, message }) => ({ name, message }));
  });
  assert.equal(error.name, 'BackendError');
  assert.match(error.message, /could not be loaded/);
});
