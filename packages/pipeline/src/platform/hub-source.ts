import type { Source } from '@sd/core';
import { SourceError } from '@sd/core';
import type { HubName } from '@sd/source';
import { type OpenHubOptions, openHubRepo } from '@sd/source/hub';

/** A repository as a source, which may list its files. */
export interface HubSource extends Source {
  /** Undefined if they are not known. */
  paths(): Promise<readonly string[] | undefined>;
}

/** A repository's files, each downloaded to the hub's cache when it is first read, and read from there. */
export async function openHubSource(
  name: HubName,
  options: OpenHubOptions,
  openFolder: (folder: string) => Promise<Source>,
): Promise<HubSource> {
  const repo = await openHubRepo(name, options);
  const ensured = async (path: string, signal?: AbortSignal): Promise<Source | undefined> =>
    (await repo.ensure(path, signal)) ? openFolder(repo.folder) : undefined;
  return {
    name: repo.name,
    paths: repo.paths,
    size: repo.size,
    async read(path, range, signal) {
      const folder = await ensured(path, signal);
      if (folder !== undefined) return folder.read(path, range);
      throw new SourceError('not-found', path, `${repo.name} has no ${path}.`);
    },
    realPath: async (path) => (await ensured(path))?.realPath?.(path),
  };
}
