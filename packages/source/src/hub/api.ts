import { messageOf, SourceError } from '@sd/core';

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** The name of its contents in the cache: the SHA-256 of a large file, which `isLarge`, or the hash of git's blob. */
  readonly hash: string;
  readonly isLarge: boolean;
}

export interface ApiOptions {
  readonly endpoint: string;
  readonly repo: string;
  readonly fetch: typeof fetch;
}

/** The commit of a revision. Throws a SourceError that says whether the repository, the revision or access is missing. */
export async function commitOf({ endpoint, repo, fetch }: ApiOptions, revision: string): Promise<string> {
  const { modelInfo } = await import('@huggingface/hub');
  const options = { name: repo, revision, hubUrl: endpoint, fetch, additionalFields: ['sha' as const] };
  const { sha } = await modelInfo(options).catch((error) => explain(error, { endpoint, repo, revision }));
  if (/^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new SourceError('read-failed', repo, `${endpoint} gave no commit for ${repo} at ${revision}.`);
}

/** The files of a commit, by path. Paths that would leave the folder are left out. */
export async function filesOf({ endpoint, repo, fetch }: ApiOptions, commit: string): Promise<Map<string, HubFile>> {
  const { listFiles } = await import('@huggingface/hub');
  const files = new Map<string, HubFile>();
  const options = { repo: { type: 'model' as const, name: repo }, revision: commit, recursive: true, hubUrl: endpoint };
  try {
    for await (const { type, path, size, oid, lfs } of listFiles({ ...options, fetch })) {
      const hash = lfs?.oid ?? oid ?? '';
      const isSafe = /^[0-9a-f]{40,64}$/.test(hash) && !path.split(/[/\\]/).includes('..') && !/^[/\\]/.test(path);
      if (type === 'file' && isSafe) files.set(path, { path, size, hash, isLarge: lfs !== undefined });
    }
  } catch (error) {
    await explain(error, { endpoint, repo, revision: commit });
  }
  return files;
}

interface RevisionRequest {
  readonly endpoint: string;
  readonly repo: string;
  readonly revision: string;
}

/** Throws a SourceError for an answer of the hub other than success. */
async function explain(error: unknown, request: RevisionRequest): Promise<never> {
  if (error instanceof SourceError || !(error instanceof Error) || !('statusCode' in error)) throw error;
  throw refusal(error.statusCode as number, request, error);
}

/** The error for an answer with an error's status. The hub answers 401 for models that do not exist, too. */
export function refusal(status: number, { endpoint, repo, revision }: RevisionRequest, cause?: unknown): SourceError {
  const address = `${endpoint}/${repo}`;
  const options = { cause };
  if (status === 401 || status === 403) {
    const message = `${repo} needs a login, or does not exist (${status}). Accept its terms at ${address}, make a token at ${endpoint}/settings/tokens, and set HF_TOKEN to it or pass \`token\`.`;
    return new SourceError('read-failed', repo, message, options);
  }
  if (status === 404) {
    const message = `There is no model ${repo} with a revision ${revision} on ${endpoint}. Check the name at ${address}, and the branch, tag or commit.`;
    return new SourceError('not-found', repo, message, options);
  }
  const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new SourceError('read-failed', repo, `${address} answered ${status}${why}.`, options);
}
