/** Where models run. Browsers have `webgpu`, `cpu` and `auto`. */
export const devices = ['auto', 'cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Device = (typeof devices)[number];

export const dtypes = ['float32', 'float16'] as const;

/** The options by which `loadPipeline` chooses a backend. */
export interface DeviceOptions {
  /**
   * Where models run: `cuda`, `webgpu`, `coreml`, `dml` or `cpu`, which must start; or `auto`, a graphics card if one starts,
   * otherwise the processor, with a warning that says why. Default: `cpu` in Node, `auto` in browsers.
   */
  readonly device?: Device | undefined;
  /**
   * The precision to compute in, whatever that of the files is. Default: `float32`; in browsers `float16` where the graphics
   * card has it.
   */
  readonly dtype?: (typeof dtypes)[number] | undefined;
}
