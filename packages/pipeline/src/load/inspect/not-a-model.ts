import { type SdError, type Source, UnsupportedError } from '@sd/core';
import { recognise } from './recognise.js';

/** The error for a folder without `model_index.json`: what it is, if that is known, or else the error given. */
export async function notAModel(source: Source, error: SdError): Promise<SdError> {
  const { inspection, adapterKind } = await recognise({ source, path: '', stem: '' });
  const { kind, canDo } = inspection;
  const name = source.name ?? 'The folder';
  if (kind === 'unknown') return error;
  if (kind === 'unsupported') return new UnsupportedError(`${name}${canDo.replace(/^It/, '')}`);
  const what = adapterKind === undefined ? `a ${kind} alone` : `an adapter (${kind})`;
  return new UnsupportedError(`${name} is ${what}, not a model: it has no model_index.json. ${canDo}`);
}
