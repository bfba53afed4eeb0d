import { SdError } from '@sd/core';

/**
 * Runs one input. Resolves to the outcome: `ok`, an SdError's code, or a `problem`, which is anything else that is
 * thrown, also as the cause of an InternalError.
 */
export async function outcomeOf(target, input) {
  try {
    return { label: (await target.run(input)) ?? 'ok' };
  } catch (error) {
    if (!SdError.isInstance(error)) return { label: 'untyped', problem: problemOf(error) };
    // The barrier of an entry caught it: a fault all the same.
    if (error.code === 'internal') return { label: 'untyped', problem: problemOf(error.cause) };
    return { label: error.code };
  }
}

/** An error's name, message and place, without numbers, so that one fault has one text. */
function problemOf(error) {
  const lines = `${error?.stack ?? ''}`.split('\n').filter((line) => /^\s+at /.test(line));
  const place = (lines.find((line) => /packages\//.test(line)) ?? lines[0] ?? '').trim();
  const file = place.replace(/.*\/(packages|node_modules)\//, '$1/').replace(/\)$/, '');
  return `${error?.name ?? typeof error}: ${`${error?.message ?? error}`.replace(/\d+/g, 'N').slice(0, 100)} @ ${file}`;
}
