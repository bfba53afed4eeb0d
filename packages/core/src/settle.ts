/**
 * Runs all tasks at once, waits until every one of them has ended, even if some fail, and then returns their results or
 * throws the error of the first in the list that failed. Unlike `Promise.all`, it leaves no work running unseen,
 * and also waits for the others if a task throws before its first await.
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
