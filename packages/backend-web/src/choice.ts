import { BackendError, type Warning } from '@sd/core';
import { createDevice, type Device, findAdapter, isSoftware } from './gpu.js';

/** The execution providers of onnxruntime-web. */
export const providers = ['webgpu', 'wasm'] as const;

export type WebProvider = (typeof providers)[number];

/** The chosen provider, with warnings if a faster one is not available. */
export interface Choice {
  readonly provider: WebProvider;
  /** Opens a new device after one was lost. */
  readonly openDevice?: () => Promise<Device>;
  readonly device?: Device;
  readonly warnings: readonly Warning[];
}

/**
 * Chooses the requested provider, or throws a BackendError that explains why it cannot start. Without a request, chooses
 * WebGPU if a graphics card is available, otherwise WebAssembly with a warning.
 */
export async function chooseProvider(
  requested: WebProvider | undefined,
  powerPreference: 'low-power' | 'high-performance' | undefined,
): Promise<Choice> {
  if (requested === 'wasm') return { provider: 'wasm', warnings: [] };
  const found = await findAdapter(powerPreference);
  if ('missing' in found) {
    if (requested === 'webgpu') {
      throw new BackendError(`The provider 'webgpu' cannot start: ${found.missing}. Or use the provider 'wasm'.`);
    }
    return { provider: 'wasm', warnings: [noGpu(found.missing)] };
  }
  if (requested === undefined && isSoftware(found.adapter)) {
    const reason = 'WebGPU would run on the processor here, slower than WebAssembly';
    return { provider: 'wasm', warnings: [noGpu(reason)] };
  }
  const openDevice = async () => {
    const current = await findAdapter(powerPreference);
    if ('missing' in current) throw new BackendError(`The graphics device is gone: ${current.missing}.`);
    return createDevice(current.adapter);
  };
  return { provider: 'webgpu', device: await createDevice(found.adapter), openDevice, warnings: [] };
}

function noGpu(reason: string): Warning {
  return { code: 'no-webgpu', message: `Models run in WebAssembly on the processor: ${reason}.` };
}
