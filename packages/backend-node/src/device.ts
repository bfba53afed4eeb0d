import { type Backend, SdError, type Warning } from '@sd/core';
import { createNodeBackend, type NodeBackendOptions } from './backend.js';
import type { Provider } from './providers.js';

/** A provider, or `auto`: the graphics card's if it starts, otherwise the processor. */
export type Device = Provider | 'auto';

/** y = a + b, where a is float32 [n, 2] and b float32 [2]: the smallest graph that makes a provider start. */
const trialGraph =
  'CAg6TwoOCgFhCgFiEgF5IgNBZGQSAFoUCgFhEg8KDQgBEgkKAxIBbgoCCAJaDwoBYhIKCggIARIECgIIAmIUCgF5Eg8KDQgBEgkKAxIBbgoCCAJCBAoAEBE=';

/**
 * The graphics card's provider for each system. WebGPU, which ONNX Runtime calls experimental in Node, and CoreML, which
 * computes only parts of these models, are for those who ask for them.
 */
const preferred: Readonly<Record<string, Provider>> = { 'linux x64': 'cuda', 'win32 x64': 'dml', 'win32 arm64': 'dml' };

/**
 * Creates a backend for a device. A device that is named must start: a BackendError says what it needs. With `auto`, a
 * graphics card that does not start is a warning of the backend, with the reason, and the processor computes.
 */
export async function createDeviceBackend(
  device: Device,
  options: Omit<NodeBackendOptions, 'provider'> = {},
): Promise<Backend> {
  if (device === 'cpu') return createNodeBackend({ ...options, provider: device });
  if (device !== 'auto') return started(createNodeBackend({ ...options, provider: device }));
  const provider = preferred[`${process.platform} ${process.arch}`];
  if (provider === undefined) return createNodeBackend(options);
  try {
    return await started(createNodeBackend({ ...options, provider }));
  } catch (error) {
    if (!SdError.isInstance(error) || error.code !== 'backend') throw error;
    return withWarning(createNodeBackend(options), noGpu(provider, error.message));
  }
}

/** Waits until a backend's provider has loaded a graph; frees the backend if it cannot. */
async function started(backend: Backend): Promise<Backend> {
  try {
    const graph = new Uint8Array(Buffer.from(trialGraph, 'base64'));
    const session = await backend.load({ name: `The device '${backend.provider}'`, graph, weights: [] });
    await session.dispose();
    return backend;
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

function noGpu(provider: Provider, reason: string): Warning {
  return { code: 'no-gpu', message: `Models run on the processor, since '${provider}' does not start. ${reason}` };
}

function withWarning(backend: Backend, warning: Warning): Backend {
  return Object.defineProperty(backend, 'warnings', { value: [warning] });
}
