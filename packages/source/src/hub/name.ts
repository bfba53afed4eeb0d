/** A repository of models on a hub, at a revision, and a file of it. */
export interface HubName {
  /** `owner/name` */
  readonly repo: string;
  /** A branch, a tag or a commit; `main` by default. */
  readonly revision?: string;
  /** A file or folder in the repository; the whole repository if it is empty. */
  readonly path: string;
}

/** The address of the hub, unless `HF_ENDPOINT` or an option names another. */
export const defaultEndpoint = 'https://huggingface.co';

const repo = '(?<repo>[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*)';
const plain = new RegExp(`^${repo}(?:/(?<path>.*[^/]))?$`);
const withScheme = new RegExp(`^hf://${repo}(?:@(?<revision>[^/]+))?(?:/(?<path>.*))?$`);
const page = new RegExp(`^/${repo}(?:/(?:tree|blob|resolve)/(?<revision>[^/]+)(?:/(?<path>.*))?)?/?$`);

/**
 * The repository that a text names:
 *
 * - `hf://owner/name`, `hf://owner/name@revision`, `hf://owner/name@revision/path/of/a/file`;
 * - the address of a model's page, of its files or of one file on the hub;
 * - `owner/name` and `owner/name/path/of/a/file`, which may also be a path on a disk: look there first.
 *
 * Undefined for anything else: a path that starts with `.`, `/` or `~`, or ends with `/`, a path on Windows, another URL.
 * A slash in a revision is written as `%2F`.
 */
export function parseHubName(text: string, endpoint = defaultEndpoint): HubName | undefined {
  const match = text.startsWith('hf:') ? withScheme.exec(text) : (onPage(text, endpoint) ?? plain.exec(text));
  if (match === null) return undefined;
  const { repo, revision, path = '' } = match.groups as { repo: string; revision?: string; path?: string };
  if (path.split('/').some((name) => name === '..' || name === '.')) return undefined;
  return { repo, ...(revision !== undefined && { revision: decoded(revision) }), path: decoded(path) };
}

function onPage(address: string, endpoint: string): RegExpExecArray | null {
  const text = address.replace(/^https?:\/\/(www\.)?(hf\.co|huggingface\.co)(?=\/)/, defaultEndpoint);
  return text.startsWith(`${endpoint}/`) ? page.exec(text.slice(endpoint.length).replace(/[?#].*/, '')) : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address from which a file, or a folder's files, are downloaded. */
export function hubUrl({ repo, revision = 'main', path }: HubName, endpoint = defaultEndpoint): string {
  const folders = path.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${repo}/resolve/${encodeURIComponent(revision)}/${folders}`;
}
