import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { defaultEndpoint } from './name.js';

/** Where a hub is, and where its files are kept. What is left out comes from the environment, as in Python. */
export interface HubOptions {
  /** The hub's address; `HF_ENDPOINT`, or https://huggingface.co. */
  readonly endpoint?: string | undefined;
  /**
   * A token for gated and private models; `HF_TOKEN`, or what `hf auth login` stored, in `HF_TOKEN_PATH` or
   * `HF_HOME/token`. It is sent to the endpoint and nowhere else.
   */
  readonly token?: string | undefined;
  /** The cache; `HF_HUB_CACHE`, or `hub` in `HF_HOME`, which is `~/.cache/huggingface` by default. */
  readonly cacheFolder?: string | undefined;
  /** Whether to use only what the cache has; `HF_HUB_OFFLINE`. */
  readonly offline?: boolean | undefined;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HubSettings {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly cacheFolder: string;
  readonly offline: boolean;
}

/**
 * The settings of the hub, from the options and the environment variables of Python's `huggingface_hub`.
 * @see huggingface_hub's `constants.py` and `utils/_auth.py`
 */
export async function hubSettings(options: HubOptions = {}): Promise<HubSettings> {
  const { env } = process;
  const home = expanded(env.HF_HOME ?? path.join(env.XDG_CACHE_HOME ?? '~/.cache', 'huggingface'));
  const cache = options.cacheFolder ?? env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? path.join(home, 'hub');
  return {
    endpoint: (options.endpoint ?? env.HF_ENDPOINT ?? defaultEndpoint).replace(/\/+$/, ''),
    token: options.token ?? (await environmentToken(home)),
    cacheFolder: path.resolve(expanded(cache)),
    offline: options.offline ?? (isTrue(env.HF_HUB_OFFLINE) || isTrue(env.TRANSFORMERS_OFFLINE)),
  };
}

async function environmentToken(home: string): Promise<string | undefined> {
  const { env } = process;
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const fromEnvironment = clean(env.HF_TOKEN ?? env.HUGGING_FACE_HUB_TOKEN);
  if (fromEnvironment !== undefined) return fromEnvironment;
  const file = expanded(env.HF_TOKEN_PATH ?? path.join(home, 'token'));
  return clean(await readFile(file, 'utf8').catch(() => undefined));
}

/** A token without the line breaks that people paste with it. */
function clean(token: string | undefined): string | undefined {
  const text = token?.replace(/[\r\n]/g, '').trim();
  return text === '' ? undefined : text;
}

function isTrue(text: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(text ?? '');
}

function expanded(folder: string): string {
  const fromHome = folder.replace(/^~(?=$|[/\\])/, homedir());
  return fromHome.replace(/\$(\w+)|\$\{(\w+)\}/g, (text, plain, braced) => process.env[plain ?? braced] ?? text);
}
