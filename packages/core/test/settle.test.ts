import { AbortError, settleAll, untilAborted } from '@sd/core';
import { describe, expect, test } from 'vitest';

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What Node would end the process for, while the action runs. */
async function unhandledDuring(action: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  await action();
  await later(20);
  process.off('unhandledRejection', note);
  for (const listener of others) process.on('unhandledRejection', listener);
  return unhandled;
}

describe('settleAll', () => {
  test('returns results in the order of the tasks', async () => {
    const results = await settleAll([() => later(5).then(() => 'a'), () => 2, async () => undefined]);
    expect(results).toEqual(['a', 2, undefined]);
  });

  test('waits for every task, then throws the error of the first in the list', async () => {
    const ended: string[] = [];
    const tasks = [
      async () => {
        await later(20);
        ended.push('slow');
      },
      async () => {
        await later(10);
        throw new Error('second');
      },
      (): void => {
        throw new Error('third');
      },
    ];
    await expect(settleAll(tasks)).rejects.toThrow('second');
    expect(ended).toEqual(['slow']);
  });

  test('leaves no rejection unhandled, where a list of begun promises would', async () => {
    const fails = async () => {
      await later(1);
      throw new Error('begun');
    };
    const throws = (): Promise<void> => {
      throw new Error('at once');
    };
    expect(await unhandledDuring(() => expect(settleAll([fails, throws])).rejects.toThrow('begun'))).toEqual([]);
  });
});

test('untilAborted handles the rejection of work that an aborted signal was too late for', async () => {
  const work = async () => {
    await later(1);
    throw new Error('work');
  };
  const wait = () => expect(untilAborted(work(), AbortSignal.abort('no'))).rejects.toThrow(AbortError);
  expect(await unhandledDuring(wait)).toEqual([]);
});
