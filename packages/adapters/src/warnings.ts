import type { Warning } from '@sd/core';

/** A warning that names the first few of what is not used; none if there is nothing. */
export function unused(code: string, message: string, names: readonly string[]): Warning[] {
  if (names.length === 0) return [];
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return [{ code, message: `${message}: ${names.slice(0, 5).join(', ')}${rest}.` }];
}

export function unusedTensors(names: readonly string[]): Warning[] {
  return unused('unused-tensors', 'The file has tensors that have no use here', names);
}
