// Who may import whom, for `npm run check:imports`: docs/architecture.md says it in words. Imports of types count too.

const models = ['text-encoder', 'image-encoder', 'unet', 'mmdit', 'vae'];
const alone = ['guidance', 'scheduler', 'tokenizer', 'source', 'image', 'backend-node', 'backend-web'];
const data = ['clip-vocabulary', 'model-tiny', 'model-tiny-controlnet', 'model-tiny-inpaint'];

/** Packages that each package may import. */
const packages = {
  core: [],
  ...Object.fromEntries(data.map((name) => [name, []])),
  ...Object.fromEntries(alone.map((name) => [name, ['core']])),
  weights: ['core'],
  graph: ['core', 'weights'],
  ...Object.fromEntries(models.map((name) => [name, ['core', 'weights', 'graph']])),
  adapters: ['core', 'weights', 'graph', 'guidance', 'image', ...models],
  pipeline: ['core', 'weights', 'adapters', ...models, ...alone, ...data],
  server: ['core', 'image', 'tokenizer', 'model-tiny', 'pipeline'],
  queue: ['core', 'image', 'tokenizer', 'pipeline'],
  'ai-sdk': ['core', 'image', 'pipeline'],
  react: ['core', 'image', 'pipeline'],
  next: [],
  cli: ['core', 'image', 'backend-node', 'clip-vocabulary', 'model-tiny', 'source', 'pipeline', 'server', 'queue'],
};

/** Folders of the pipeline that each of them may import; all may import `stages.ts`. */
const folders = {
  platform: [],
  defaults: [],
  families: ['platform'],
  load: ['platform', 'defaults', 'families'],
  attach: ['defaults', 'families', 'load'],
  generate: ['defaults', 'families', 'attach'],
};

/** A package by the path that its name resolves to, or by its name where it has not been built. */
const inPackages = (names) => `^(packages|@sd)/(${names.join('|')})(/|$)`;
const pipeline = (names) => `^packages/pipeline/src/(${names.join('|')})(/|[.]ts$)`;

const rules = [
  {
    name: 'no-circular',
    comment: 'Files that import each other cannot be read, tested or moved one at a time.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'listed-package',
    comment: 'A new package has its place in the order below.',
    from: { path: '^packages/', pathNot: inPackages(Object.keys(packages)) },
    to: {},
  },
  ...Object.entries(packages).map(([name, allowed]) => ({
    name: `imports-of-${name}`,
    comment: `@sd/${name} imports ${allowed.map((other) => `@sd/${other}`).join(', ') || 'no other package'}.`,
    from: { path: `^packages/${name}/` },
    to: { path: '^(packages|@sd)/', pathNot: inPackages([name, ...allowed]) },
  })),
  {
    name: 'packages-by-name',
    comment: 'A path into another package goes around its entries, which are all that it promises.',
    from: { path: '^packages/([^/]+)/' },
    to: { path: '^packages/[^/]+/src/', pathNot: '^packages/$1/' },
  },
  {
    name: 'entry-for-others',
    comment: 'The entry gathers what a package is; its own files import each other where they stand.',
    from: { path: '^packages/([^/]+)/src/' },
    to: { path: '^packages/$1/src/index[.]ts$' },
  },
  {
    name: 'adapter-kinds-apart',
    comment: 'A kind of adapter is one folder: it can be removed, or read, without the others.',
    from: { path: '^packages/adapters/src/([^/]+)/' },
    to: { path: '^packages/adapters/src/([^/]+/|kinds[.]ts)', pathNot: '^packages/adapters/src/$1/' },
  },
  {
    name: 'adapter-kinds-unnamed',
    comment: 'What kinds share names none of them: only the list of kinds and the entry do.',
    from: { path: '^packages/adapters/src/[^/]+$', pathNot: '/(kinds|index)[.]ts$' },
    to: { path: '^packages/adapters/src/[^/]+/' },
  },
  ...Object.entries(folders).map(([name, allowed]) => ({
    name: `imports-of-pipeline-${name}`,
    comment: `pipeline/src/${name} imports ${['stages.ts', ...allowed].join(', ')} alone: what comes later knows what comes earlier.`,
    from: { path: `^packages/pipeline/src/${name}/` },
    to: { path: '^packages/pipeline/src/', pathNot: pipeline([name, 'stages', ...allowed]) },
  })),
  {
    name: 'families-unnamed',
    comment: 'Outside its folder a family is an entry of the list: what is particular to one is asked of it.',
    from: { path: '^packages/pipeline/src/', pathNot: '^packages/pipeline/src/(families/|index[.]ts$)' },
    to: { path: '^packages/pipeline/src/families/', pathNot: '/families/(index|family)[.]ts$' },
  },
  {
    name: 'worker-on-top',
    comment: 'The worker serves a pipeline, which does not know where it runs.',
    from: { path: '^packages/pipeline/src/', pathNot: '^packages/pipeline/src/worker/' },
    to: { path: '^packages/pipeline/src/worker/' },
  },
];

export default {
  forbidden: rules.map((rule) => ({ ...rule, severity: 'error' })),
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '/dist/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
