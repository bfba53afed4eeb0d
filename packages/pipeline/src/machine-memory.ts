interface NodeProcess {
  getBuiltinModule?(name: 'os'): { totalmem(): number };
  /** The limit of a container; 0 if there is none. */
  constrainedMemory?(): number | undefined;
}

interface BrowserNavigator {
  /** In GiB, at most 8. */
  readonly deviceMemory?: number;
}

/** Assumed for browsers that do not report their memory: WebAssembly's limit, 4 GiB. */
const browserMemory = 2 ** 32;

/** The bytes of memory of this machine, or of the container that this process is in. */
export function machineMemory(): number {
  const { process, navigator } = globalThis as {
    readonly process?: NodeProcess;
    readonly navigator?: BrowserNavigator;
  };
  const total = process?.getBuiltinModule?.('os').totalmem();
  if (total === undefined) return (navigator?.deviceMemory ?? 0) * 2 ** 30 || browserMemory;
  const constrained = process?.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(total, constrained) : total;
}
