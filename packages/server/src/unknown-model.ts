import { UnknownModelError } from '@sd/core';

/** The error for a job that names a model which the engine does not have. */
export function unknownModel(model: string, known: readonly { readonly name: string }[]): UnknownModelError {
  const names = known.slice(0, 20).map(({ name }) => name);
  const advice = names.length === 0 ? 'there are none' : `choose from ${names.join(', ')}`;
  return new UnknownModelError(model, `There is no model ${JSON.stringify(model)}: ${advice}.`);
}
