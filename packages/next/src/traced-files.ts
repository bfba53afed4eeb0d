import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Packages that are weights and nothing else: files that no import leads to. */
const weights = ['@sd/model-tiny', '@sd/model-tiny-controlnet', '@sd/model-tiny-inpaint'];

/**
 * Globs, relative to the folder `project`, of what a server reads next to the code that Next traces: the weights of the
 * embedded models and ONNX Runtime's libraries for this system. Packages that are not installed are left out.
 */
export async function tracedFiles(project: string): Promise<string[]> {
  const globs: string[] = [];
  for (const name of weights) {
    const folder = folderOf(name, project);
    if (folder !== undefined) globs.push(...(await publishedFiles(folder)));
  }
  const backend = folderOf('@sd/backend-node', project);
  const runtime = backend && folderOf('onnxruntime-node', backend);
  if (runtime !== undefined) globs.push(`${runtime}/bin/*/${process.platform}/${process.arch}/*`);
  return globs.map((glob) => path.relative(project, glob).split(path.sep).join('/'));
}

/** The folder of a package as `from` sees it; undefined if it is not installed. */
function folderOf(name: string, from: string): string | undefined {
  try {
    return path.dirname(createRequire(path.join(from, 'package.json')).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** Globs of what a package publishes: in a monorepo its folder has more. */
async function publishedFiles(folder: string): Promise<string[]> {
  const { files } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
    readonly files: readonly string[];
  };
  return files.map((name) => `${folder}/${name}/**/*`);
}
