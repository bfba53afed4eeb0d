import { linkSignals, type Source, untilAborted, withMethods } from '@sd/core';

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
  return withMethods(source, {
    read: (path, range, callSignal) => abortable((both) => source.read(path, range, both), callSignal),
    size: (path) => abortable(() => source.size!(path)),
    realPath: (path) => abortable(() => source.realPath!(path)),
  });
}
