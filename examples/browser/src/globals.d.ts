/** The folder of the model's files, from the page's own address on. */
declare const __MODEL_URL__: string;
/** Bytes of all of them. */
declare const __MODEL_BYTES__: number;
