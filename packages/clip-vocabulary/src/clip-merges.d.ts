/** The text that the build puts here, see tsup.config.ts. */
declare module 'virtual:clip-merges' {
  const merges: string;
  export default merges;
}
