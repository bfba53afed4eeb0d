import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { createDeviceBackend, type Device } from '@sd/backend-node';
import { messageOf } from '@sd/core';
import { machineMemory } from '@sd/pipeline';
import { cachedModels, hubSettings } from '@sd/source/hub';
import { formatBytes } from '../bytes.js';

/** Something that was looked at. */
export interface Finding {
  readonly name: string;
  readonly value: string;
  readonly isFine: boolean;
  /** What to do where it is not fine. */
  readonly advice?: string;
}

/** Providers besides the processor that ONNX Runtime has for each system. */
const devices: Readonly<Record<string, readonly Device[]>> = {
  linux: ['cuda', 'webgpu'],
  win32: ['dml', 'webgpu'],
  darwin: ['coreml', 'webgpu'],
};

/** Packages that a feature needs and an installation may lack. */
const optional: readonly (readonly [name: string, purpose: string])[] = [
  ['@sd/model-tiny', 'the embedded model'],
  ['@sd/clip-vocabulary', 'models in one file'],
  ['@jsquash/avif', 'AVIF files'],
];

/** All that decides whether and how fast images are drawn here. Each device is tried in a process of its own. */
export async function* findings(): AsyncGenerator<Finding, void> {
  yield fine('Node', `${process.versions.node} on ${process.platform} ${process.arch}`);
  yield await onnxRuntime();
  yield fine('processor', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} threads`);
  yield fine('memory', formatBytes(machineMemory()));
  for (const device of ['cpu', ...(devices[process.platform] ?? [])] as const) yield await tried(device);
  for (const [name, purpose] of optional) yield installed(name, purpose);
  yield await cache();
}

const fine = (name: string, value: string): Finding => ({ name, value, isFine: true });

async function onnxRuntime(): Promise<Finding> {
  const require = createRequire(import.meta.url);
  try {
    const ofBackend = createRequire(require.resolve('@sd/backend-node/package.json'));
    const file = ofBackend.resolve('onnxruntime-node/package.json');
    return fine('ONNX Runtime', JSON.parse(await readFile(file, 'utf8')).version);
  } catch (error) {
    const advice = 'npm install onnxruntime-node; behind a firewall with ONNXRUNTIME_NODE_INSTALL=skip before it.';
    return { name: 'ONNX Runtime', value: `not found: ${messageOf(error)}`, isFine: false, advice };
  }
}

async function tried(device: Device): Promise<Finding> {
  const name = `device ${device}`;
  try {
    const backend = await createDeviceBackend(device, { childProcess: true, timeLimit: 60_000 });
    await backend.dispose();
    return fine(name, 'works');
  } catch (error) {
    return { name, value: 'does not start', isFine: device !== 'cpu', advice: messageOf(error) };
  }
}

function installed(name: string, purpose: string): Finding {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(`${name}/package.json`);
    return fine(name, 'installed');
  } catch {
    return { name, value: 'not installed', isFine: true, advice: `For ${purpose}: npm install ${name}` };
  }
}

async function cache(): Promise<Finding> {
  const { cacheFolder, token, offline } = await hubSettings();
  const models = await cachedModels();
  const size = formatBytes(models.reduce((sum, model) => sum + model.size, 0));
  const access = `${token === undefined ? 'no token' : 'a token'}${offline ? ', offline' : ''}`;
  return fine('hub', `${models.length} models (${size}) in ${cacheFolder}; ${access}`);
}
