import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createServer } from '../src/node.js';

/** PYTHON=venv/bin/python, with `pip install openai`. */
const python = process.env.PYTHON ?? 'python3';
const hasClient = spawnSync(python, ['-c', 'import openai']).status === 0;

test.skipIf(!hasClient)('OpenAI’s Python client draws, edits, streams, and knows the errors', async () => {
  const server = await createServer({ port: 0 });
  const script = fileURLToPath(new URL('openai-client.py', import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, `${server.url}/v1`]);
  expect(JSON.parse(stdout)).toEqual({
    models: ['tiny'],
    images: 2,
    size: '128x128',
    seeds: [7, 8],
    signature: '89504e47',
    events: ['image_generation.partial_image', 'image_generation.completed'],
    edits: ['image_edit.partial_image', 'image_edit.completed'],
    variation: 1,
    errors: [
      ['NotFoundError', 404, 'model_not_found', 'model'],
      ['BadRequestError', 400, 'invalid_value', 'n'],
    ],
  });
  await server.close();
});
