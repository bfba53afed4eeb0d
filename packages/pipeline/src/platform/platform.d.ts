/** Either of the modules beside this, as the `imports` of package.json say. */
declare module '#platform' {
  export const createBackend: typeof import('./web.js').createBackend;
  export const openSource: typeof import('./web.js').openSource;
}
