/** One of the modules in this folder, chosen by the `imports` of package.json. */
declare module '#platform' {
  export const createBackend: typeof import('./web.js').createBackend;
  export const hubEndpoint: typeof import('./web.js').hubEndpoint;
  export const isOnDisk: (path: string) => Promise<boolean>;
  export const openHub: typeof import('./web.js').openHub;
  export const openSource: typeof import('./web.js').openSource;
}
