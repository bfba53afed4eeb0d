import { linkSignals, type Source, untilAborted } from '@sd/core';

/**
 * The source, with reads that also end when `signal` is aborted: a server may accept a request and never respond, and the
 * caller's `read` may ignore signals. The result of such a read is dropped.
 */
export function abortableSource(source: Source, signal: AbortSignal): Source {
  const abortable = async <T>(work: (signal: AbortSignal) => Promise<T>, callSignal?: AbortSignal): Promise<T> => {
    const link = linkSignals(signal, callSignal);
    try {
      return await untilAborted(work(link.signal), link.signal);
    } finally {
      link.unlink();
    }
  };
  const { name, size, realPath } = source;
  return {
    ...(name !== undefined && { name }),
    get warnings() {
      return source.warnings ?? [];
    },
    read: (path, range, callSignal) => abortable((both) => source.read(path, range, both), callSignal),
    ...(size && { size: (path: string) => abortable(() => size.call(source, path)) }),
    ...(realPath && { realPath: (path: string) => abortable(() => realPath.call(source, path)) }),
  };
}
