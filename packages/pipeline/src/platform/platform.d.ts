/** One of the modules in this folder, chosen by the `imports` of package.json. */
declare module '#platform' {
  export const createBackend: typeof import('./web.js').createBackend;
  export const openSource: typeof import('./web.js').openSource;
}
