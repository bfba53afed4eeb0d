import type { Warning } from '@sd/core';

/** A warning that names the first few unused tensors of a file; none if all are used. */
export function unusedWarning(message: string, names: readonly string[]): Warning[] {
  if (names.length === 0) return [];
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return [{ code: 'unused-tensors', message: `${message}: ${names.slice(0, 5).join(', ')}${rest}.` }];
}
