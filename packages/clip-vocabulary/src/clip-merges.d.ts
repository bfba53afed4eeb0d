/** Inserted by the build, see tsup.config.ts. */
declare module 'virtual:clip-merges' {
  const merges: string;
  export default merges;
}
