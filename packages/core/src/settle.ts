/**
 * Runs all tasks at once, waits until every one of them has ended, even if some fail, and then returns their results or
 * throws the error of the first in the list that failed. Unlike `Promise.all`, it leaves no work behind that goes on unseen,
 * and a task that throws before its first await does not keep the others from being waited for.
 */
export async function settleAll<const Tasks extends readonly (() => unknown)[]>(
  tasks: Tasks,
): Promise<{ -readonly [Index in keyof Tasks]: Awaited<ReturnType<Tasks[Index]>> }> {
  const outcomes = await Promise.allSettled(tasks.map(async (task) => task()));
  const results = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  return results as { -readonly [Index in keyof Tasks]: Awaited<ReturnType<Tasks[Index]>> };
}
