import { checkOptional, type OptionTable, text } from '@sd/core/options';
import type { HubProgress } from '@sd/source/hub';

/** How files are found by a name such as `owner/name`. */
export interface HubPlaceOptions {
  /** The branch, tag or commit; `main` by default. */
  readonly revision?: string | undefined;
  /** A token for gated and private models. In Node, the one that Python uses by default (`HF_TOKEN`, `hf auth login`). */
  readonly token?: string | undefined;
  /** Called as files of the hub arrive, with the bytes of all those that were asked for. */
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

export interface LocateOptions extends HubPlaceOptions {
  readonly signal?: AbortSignal | undefined;
}

export const hubTable: OptionTable<HubPlaceOptions> = {
  revision: { ...text, text: 'For a name on the hub: the branch, tag or commit, `main` by default.' },
  token: { ...text, text: "For a name on the hub: a token for gated and private models, by default Python's." },
  onProgress: {
    type: 'function',
    text: 'For a name on the hub: called with `{ path, loaded, total }` as files arrive, in bytes of all files.',
    check: (option, value) => checkOptional(option, value, typeof value === 'function', 'a function'),
  },
};
