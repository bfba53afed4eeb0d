import { checkOptional, checkOptions, type OptionRow, type OptionTable, withMethod } from '@sd/core/options';
import { aFunction, type LocalEngineOptions, localTable } from './engine/local-options.js';
import type { Engine } from './engine.js';
import { type Limits, limitsTable } from './limits.js';

export interface HandlerOptions extends LocalEngineOptions {
  /** Draws in place of pipelines in this process, such as a queue. The options of those then have no effect. */
  readonly engine?: Engine | undefined;
  /** Keys, of which a request must have one: `Authorization: Bearer KEY`. Without any, everyone may draw. */
  readonly apiKeys?: readonly string[] | undefined;
  /** Origins of web pages that may use the server, such as `https://app.example`; `*` for all. */
  readonly cors?: readonly string[] | undefined;
  /** Hosts that requests may name, against DNS rebinding; all by default. With a key they are not checked. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** The path that the server is mounted at, such as `/api/sd`. */
  readonly basePath?: string | undefined;
  /** The address that clients use, where a proxy changes it: `https://draw.example`. */
  readonly publicUrl?: string | undefined;
  /** Called for errors that are the server's own, which clients learn little about. */
  readonly onError?: ((error: unknown, request: { readonly id: string; readonly path: string }) => void) | undefined;
}

/** Empty texts are refused: a key that everyone has is none. */
const texts: Pick<OptionRow, 'type' | 'check'> = {
  type: 'string[]',
  check: (option, value) =>
    checkOptional(
      option,
      value,
      Array.isArray(value) && value.every((item) => typeof item === 'string' && item.trim() !== ''),
      'a list of texts that are not empty',
    ),
};

const path: Pick<OptionRow, 'type' | 'check'> = {
  type: 'string',
  check: (option, value) =>
    checkOptional(
      option,
      value,
      typeof value === 'string' && /^(\/.*)?$/.test(value),
      'a path that begins with a slash',
    ),
};

export const handlerTable: OptionTable<HandlerOptions> = {
  ...localTable,
  engine: {
    type: 'Engine',
    default: 'pipelines in this process',
    text: 'Draws in place of pipelines in this process; the options of those then have no effect.',
    ...withMethod('run', 'an object with run(job, signal)'),
  },
  apiKeys: { ...texts, text: 'Keys, of which a request must have one.' },
  cors: { ...texts, text: 'Origins of web pages that may use the server; `*` for all.' },
  allowedHosts: { ...texts, default: 'all', text: 'Hosts that requests without a key may name.' },
  limits: {
    type: '{ count, steps, pixels, promptLength, bodyBytes }',
    text: 'What one request may ask for.',
    check: (option, value) => checkOptions(value, limitsTable, { of: option, prefix: `${option}.` }),
  },
  basePath: { ...path, text: 'The path that the server is mounted at.' },
  publicUrl: {
    type: 'string',
    default: "the request's",
    text: 'The address that clients use, for links to images.',
    check: (option, value) =>
      checkOptional(option, value, typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value), 'a URL'),
  },
  onError: { type: 'function', text: "Called for errors that are the server's own.", check: aFunction },
};

/** Throws an InvalidOptionError for unknown or impossible options. */
export function checkHandlerOptions(options: HandlerOptions): void {
  checkOptions(options, handlerTable, { of: 'createHandler()' });
}
