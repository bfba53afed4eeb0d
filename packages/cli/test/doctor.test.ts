import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { exitCodes, run } from '../src/index.js';

test('sd doctor finds what is needed to draw, and says why a device does not start', async () => {
  const cache = await mkdtemp(path.join(tmpdir(), 'sd-doctor-'));
  vi.stubEnv('HF_HUB_CACHE', cache);
  const out: string[] = [];
  const stdout = { write: (text: string) => out.push(text) };
  const code = await run(['doctor', '--json'], { stdin: (async function* () {})(), stdout, stderr: stdout });
  await rm(cache, { recursive: true });
  expect(code).toBe(exitCodes.success);
  const found = new Map(JSON.parse(out.join('')).map((finding: { name: string }) => [finding.name, finding]));
  expect(found.get('Node')).toMatchObject({ isFine: true, value: expect.stringContaining(process.versions.node) });
  expect(found.get('ONNX Runtime')).toMatchObject({ isFine: true, value: expect.stringMatching(/^\d+\.\d+/) });
  expect(found.get('device cpu')).toMatchObject({ isFine: true, value: 'works' });
  expect(found.get('@sd/model-tiny')).toMatchObject({ value: 'installed' });
  expect(found.get('hub')).toMatchObject({ value: expect.stringContaining(`0 models (0 B) in ${cache}`) });
  for (const finding of found.values() as Iterable<{ value: string; advice?: string }>) {
    if (finding.value === 'does not start') expect(finding.advice).toMatch(/\S/);
  }
});
