import { BackendError } from '@sd/core';

/** The subset of WebGPU that this package uses. TypeScript's DOM library does not have it. */
interface GpuAdapter {
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  readonly info?: {
    readonly isFallbackAdapter?: boolean;
    readonly architecture?: string;
    readonly subgroupMinSize?: number;
  };
  requestDevice(options: object): Promise<GpuDevice>;
}

interface GpuDevice {
  readonly features: ReadonlySet<string>;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  destroy(): void;
}

interface Gpu {
  requestAdapter(options?: { readonly powerPreference?: 'low-power' | 'high-performance' }): Promise<GpuAdapter | null>;
}

/** An adapter, or the reason why there is none. */
export type FoundAdapter = { readonly adapter: GpuAdapter } | { readonly missing: string };

/** Requests a graphics adapter from the browser. */
export async function findAdapter(powerPreference?: 'low-power' | 'high-performance'): Promise<FoundAdapter> {
  const { gpu } = globalThis.navigator as { gpu?: Gpu };
  if (gpu === undefined) {
    const insecure = globalThis.isSecureContext === false;
    return {
      missing: insecure ? 'WebGPU needs a page served over https or from localhost' : 'this browser has no WebGPU',
    };
  }
  try {
    const adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
    return adapter === null ? { missing: 'this browser offers no graphics adapter to WebGPU' } : { adapter };
  } catch (error) {
    return { missing: `requesting a graphics adapter failed: ${(error as Error).message}` };
  }
}

/** True if the adapter is emulated on the processor. */
export function isSoftware({ info }: GpuAdapter): boolean {
  return info?.isFallbackAdapter === true || info?.architecture === 'swiftshader';
}

/** A device that ONNX Runtime computes on, with its state. */
export interface Device {
  /** The device to pass to ONNX Runtime. */
  readonly device: GpuDevice;
  readonly float16: boolean;
  /** The reason why it was lost, or undefined. */
  lost(): string | undefined;
  /** Runs an action. Rejects with errors that the device reports only to its error scopes. */
  withErrorScopes<T>(action: () => Promise<T>): Promise<T>;
  destroy(): void;
}

/** Optional features and limits that ONNX Runtime's kernels use. */
const wantedFeatures = ['shader-f16', 'subgroups', 'subgroup-matrix', 'chromium-experimental-subgroup-matrix'];
const wantedLimits = [
  'maxBindGroups',
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
];

/** ONNX Runtime's attention is off by up to a third with subgroups of 4, which SwiftShader has. */
const smallestSubgroup = 8;

/** Creates a device with all wanted features and limits that the adapter supports. Throws a BackendError. */
export async function createDevice(adapter: GpuAdapter): Promise<Device> {
  const subgroupsUsable = (adapter.info?.subgroupMinSize ?? 0) >= smallestSubgroup;
  const requiredFeatures = wantedFeatures.filter(
    (name) => adapter.features.has(name) && (subgroupsUsable || !name.includes('subgroup')),
  );
  const limits = wantedLimits.flatMap((name) => (name in adapter.limits ? [[name, adapter.limits[name]]] : []));
  let device: GpuDevice;
  try {
    device = await adapter.requestDevice({ requiredFeatures, requiredLimits: Object.fromEntries(limits) });
  } catch (cause) {
    throw new BackendError(`The graphics device could not be opened: ${(cause as Error).message}`, { cause });
  }
  let loss: string | undefined;
  device.lost.then(({ reason, message }) => {
    loss = message === '' ? reason : message;
  });
  return {
    device,
    float16: device.features.has('shader-f16'),
    lost: () => loss,
    async withErrorScopes(action) {
      device.pushErrorScope('internal');
      device.pushErrorScope('out-of-memory');
      device.pushErrorScope('validation');
      const outcome = await settled(action);
      // A lost device does not report errors here: `lost` has the reason.
      const popped = await Promise.all([1, 2, 3].map(() => device.popErrorScope().catch(() => null)));
      const [validation, memory, internal] = popped.map((error) => error?.message);
      if (memory !== undefined) {
        throw new BackendError(memory, { reason: 'out-of-memory' });
      }
      if ('error' in outcome) throw outcome.error;
      const problem = validation ?? internal;
      if (problem !== undefined) throw new BackendError(`The graphics device reported: ${problem}`);
      return outcome.value;
    },
    destroy: () => device.destroy(),
  };
}

async function settled<T>(action: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await action() };
  } catch (error) {
    return { error };
  }
}
