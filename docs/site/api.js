// The API reference: in docs/api, a Markdown page for each entry of a public package, from the doc comments in its
// declarations.
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Application, Comment, ReflectionKind } from 'typedoc';
import { root } from './places.js';

export const apiFolder = path.join(root, 'docs/api');

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} declarations the path of a .d.ts file
 * @property {string} about Markdown
 */

/**
 * Writes the pages. Packages must have been built. Throws an Error if a doc comment has a problem, such as a link to
 * something that does not exist; TypeDoc prints them.
 */
export async function writeApi() {
  const entries = await publicEntries();
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: entries.map(({ declarations }) => declarations),
    tsconfig: path.join(import.meta.dirname, 'tsconfig.api.json'),
    name: 'API reference',
    readme: 'none',
    // The sources have been checked already, by `npm run typecheck`.
    skipErrorChecking: true,
    disableSources: true,
    disableGit: true,
    excludeExternals: true,
    excludePrivate: true,
    sort: ['source-order'],
    validation: { invalidLink: true, invalidPath: true, notExported: false, notDocumented: false },
    logLevel: 'Warn',
    ...looks,
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the declarations.');
  for (const module of project.children ?? []) {
    const { name, about } = entryOf(module.name, entries);
    module.name = name;
    module.comment = new Comment([{ kind: 'text', text: about }]);
  }
  // TypeDoc's name for a parameter that is taken apart in the signature.
  for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter)) {
    if (parameter.name === '__namedParameters') parameter.name = 'options';
  }
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('The doc comments have the problems above.');
}

const looks = /** @type {any} */ ({
  outputs: [{ name: 'markdown', path: apiFolder }],
  router: 'module',
  entryFileName: 'index',
  flattenOutputFiles: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  // Two names can have one anchor, such as Adapter.use and AdapterUse: then the generator's own differs from the heading's.
  useHTMLAnchors: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  enumMembersFormat: 'table',
  tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true, hideDefaults: true },
  groupOrder: ['Functions', 'Classes', 'Interfaces', 'Type Aliases', 'Variables'],
});

/** The names of the pages, once they have been written. @returns {Promise<{ text: string, link: string }[]>} */
export async function apiPages() {
  const files = await readdir(apiFolder).catch(() => []);
  const pages = files.filter((file) => file.endsWith('.md') && file !== 'index.md').sort();
  return Promise.all(
    pages.map(async (file) => ({
      text: /^# (.+)$/m.exec(await readFile(path.join(apiFolder, file), 'utf8'))?.[1].replaceAll('\\', '') ?? file,
      link: `/api/${file.replace(/\.md$/, '.html')}`,
    })),
  );
}

/** What the packages' `exports` offer. @returns {Promise<Entry[]>} */
async function publicEntries() {
  const names = (await readdir(path.join(root, 'packages'))).sort();
  const entries = await Promise.all(names.map(entriesOf));
  return entries.flat();
}

/** @param {string} name of a folder of packages/ @returns {Promise<Entry[]>} */
async function entriesOf(name) {
  const home = path.join(root, 'packages', name);
  const manifest = JSON.parse(await readFile(path.join(home, 'package.json'), 'utf8'));
  if (manifest.private) return [];
  const entries = Object.entries(manifest.exports).flatMap(([entry, target]) => {
    const types = typesOf(target);
    if (types === undefined) return [];
    const about = `${manifest.description.replaceAll('<', '&lt;')}. [README](/packages/${name}/)`;
    return [{ name: path.posix.join(manifest.name, entry), declarations: path.join(home, types), about }];
  });
  await Promise.all(entries.map(({ declarations }) => access(declarations)));
  return entries;
}

/** The declarations of an entry, or of the first of its conditions. @param {any} target @returns {string | undefined} */
function typesOf(target) {
  if (typeof target !== 'object' || target === null) return undefined;
  return (
    target.types ??
    Object.values(target)
      .map(typesOf)
      .find((types) => types !== undefined)
  );
}

/**
 * @param {string} module as TypeDoc names it, by the path of its file
 * @param {readonly Entry[]} entries
 */
function entryOf(module, entries) {
  const found = entries.filter(({ declarations }) => {
    const file = path.relative(root, declarations).replace(/\.d\.ts$/, '');
    return file.endsWith(module) || file.endsWith(`${module}/index`);
  });
  if (found.length !== 1) throw new Error(`TypeDoc's module ${module} is ${found.length} entries of the packages.`);
  return found[0];
}
