/** URL of the folder with the model's files, relative to the page. */
declare const __MODEL_URL__: string;
/** Total size of the model's files, in bytes. */
declare const __MODEL_BYTES__: number;
