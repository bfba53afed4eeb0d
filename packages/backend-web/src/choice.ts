import { BackendError, type Warning } from '@sd/core';
import { createDevice, type Device, findAdapter, isSoftware } from './gpu.js';

/** Execution providers of onnxruntime-web. */
export const providers = ['webgpu', 'wasm'] as const;

export type WebProvider = (typeof providers)[number];

/** What runs, and why it is not something faster. */
export interface Choice {
  readonly provider: WebProvider;
  /** Opens another device, after one was lost. */
  readonly openDevice?: () => Promise<Device>;
  readonly device?: Device;
  readonly warnings: readonly Warning[];
}

/**
 * Takes the provider that was asked for, or says in a BackendError why it cannot be; without a wish, WebGPU where a
 * graphics card is behind it, else WebAssembly with a warning.
 */
export async function chooseProvider(
  wished: WebProvider | undefined,
  powerPreference: 'low-power' | 'high-performance' | undefined,
): Promise<Choice> {
  if (wished === 'wasm') return { provider: 'wasm', warnings: [] };
  const found = await findAdapter(powerPreference);
  if ('missing' in found) {
    if (wished === 'webgpu') {
      throw new BackendError(`The provider 'webgpu' cannot start: ${found.missing}. Or use the provider 'wasm'.`);
    }
    return { provider: 'wasm', warnings: [noGpu(found.missing)] };
  }
  if (wished === undefined && isSoftware(found.adapter)) {
    const reason = 'WebGPU would run on the processor here, slower than WebAssembly';
    return { provider: 'wasm', warnings: [noGpu(reason)] };
  }
  const openDevice = async () => {
    const now = await findAdapter(powerPreference);
    if ('missing' in now) throw new BackendError(`The graphics device is gone: ${now.missing}.`);
    return createDevice(now.adapter);
  };
  return { provider: 'webgpu', device: await createDevice(found.adapter), openDevice, warnings: [] };
}

function noGpu(reason: string): Warning {
  return { code: 'no-webgpu', message: `Models run in WebAssembly, on the processor: ${reason}.` };
}
