import { BackendError, SourceError } from '@sd/core';

/** A source of files in memory: path to bytes. */
export function memorySource(files, { sizes = true } = {}) {
  const get = (path) => (Object.hasOwn(files, path) ? files[path] : undefined);
  return {
    name: 'memory',
    async read(path, range) {
      const bytes = get(path);
      if (bytes === undefined) throw new SourceError('not-found', path, `There is no ${path}.`);
      return bytes.subarray(range?.start, range?.end);
    },
    ...(sizes && { size: async (path) => get(path)?.length }),
  };
}

/** A file with a beginning and any number of zeros after it. */
export function zerosSource(name, { start, size }) {
  return {
    name: 'zeros',
    size: async (path) => (path === name ? size : undefined),
    async read(path, range = { start: 0, end: size }) {
      if (path !== name) throw new SourceError('not-found', path, `There is no ${path}.`);
      const length = range.end - range.start;
      if (length > 2 ** 28) throw new SourceError('read-failed', path, `The source has not ${length} bytes at once.`);
      const bytes = new Uint8Array(length);
      if (range.start < start.length) bytes.set(start.subarray(range.start, Math.min(range.end, start.length)));
      return bytes;
    },
  };
}

/** The same file as a user would pick it in a browser. */
export class ZerosBlob extends Blob {
  #source;
  #length;

  constructor(name, content) {
    super();
    this.name = name;
    this.#length = content.size;
    this.#source = zerosSource(name, content);
  }

  get size() {
    return this.#length;
  }

  slice(start, end) {
    const read = async () => (await this.#source.read(this.name, { start, end })).buffer;
    return { arrayBuffer: read };
  }
}

/** A source that reads each part of a file once. */
export function heldSource(source) {
  const held = new Map();
  const once = (key, read) => {
    if (!held.has(key)) held.set(key, read());
    return held.get(key);
  };
  return {
    name: source.name,
    read: (path, range) => once(`${path} ${range?.start} ${range?.end}`, () => source.read(path, range)),
    size: (path) => once(path, () => source.size(path)),
  };
}

/** A source with some of its files replaced, and some gone. */
export function changedSource(source, { files = {}, gone = [] }) {
  const isReplaced = (path) => Object.hasOwn(files, path);
  return {
    name: 'changed',
    async read(path, range, signal) {
      if (gone.includes(path)) throw new SourceError('not-found', path, `There is no ${path}.`);
      return isReplaced(path) ? files[path].subarray(range?.start, range?.end) : source.read(path, range, signal);
    },
    async size(path) {
      if (gone.includes(path)) return undefined;
      return isReplaced(path) ? files[path].length : source.size(path);
    },
    async realPath(path) {
      return isReplaced(path) || gone.includes(path) ? undefined : source.realPath?.(path);
    },
  };
}

/** A backend that loads any graph and runs none: graphs are written, but take neither memory nor native code. */
export const graphsOnly = () => ({
  provider: 'cpu',
  features: { float16: false, fusedAttention: true },
  async load() {
    const run = async () => {
      throw new BackendError('This backend runs no graphs.');
    };
    return { inputs: [], outputs: [], run, dispose: async () => {} };
  },
  async dispose() {},
});
