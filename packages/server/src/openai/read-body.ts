import { type FieldTable, type FieldValues, readFields } from '../http/fields.js';
import { HttpError } from '../http/http-error.js';

/** The fields of a JSON body. Throws an HttpError, as OpenAI's API does for a field that it does not know. */
export async function readJson<Table extends FieldTable>(request: Request, table: Table): Promise<FieldValues<Table>> {
  const type = request.headers.get('content-type') ?? '';
  if (!type.startsWith('application/json')) {
    throw new HttpError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send the request as application/json.',
    });
  }
  const values: unknown = await request.json().catch(() => undefined);
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new HttpError({ status: 400, code: 'invalid_json', message: 'The body must be a JSON object.' });
  }
  expectKnown(Object.keys(values), table);
  return readFields(values as Record<string, unknown>, table);
}

export interface FormBody<Table extends FieldTable> {
  readonly fields: FieldValues<Table>;
  /** The bytes of the files of a field: `image`, `image[]` and `image[0]` are one. */
  files(name: string): Promise<Uint8Array[]>;
}

/** The fields and files of a multipart body. Throws an HttpError. */
export async function readForm<Table extends FieldTable>(
  request: Request,
  table: Table,
  fileFields: readonly string[],
): Promise<FormBody<Table>> {
  const type = request.headers.get('content-type') ?? '';
  if (!type.startsWith('multipart/form-data')) {
    throw new HttpError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send the request as multipart/form-data.',
    });
  }
  const form = await request.formData().catch(() => undefined);
  if (form === undefined) {
    throw new HttpError({ status: 400, code: 'invalid_form', message: 'The body is not a complete multipart form.' });
  }
  const entries = [...form].map(([name, value]) => ({ name: name.replace(/\[\d*\]$/, ''), value }));
  expectKnown(
    entries.map(({ name }) => name),
    { ...table, ...Object.fromEntries(fileFields.map((name) => [name, true])) },
  );
  const texts = entries.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value] as const] : []));
  return {
    fields: readFields(Object.fromEntries(texts), table),
    async files(wanted) {
      const found = entries.flatMap(({ name, value }) => (name === wanted && value instanceof Blob ? [value] : []));
      return Promise.all(found.map(async (blob) => new Uint8Array(await blob.arrayBuffer())));
    },
  };
}

function expectKnown(names: readonly string[], table: Readonly<Record<string, unknown>>): void {
  const unknown = names.find((name) => !Object.hasOwn(table, name));
  if (unknown === undefined) return;
  const message = `Unknown parameter: '${unknown}'. Known are ${Object.keys(table).join(', ')}.`;
  throw new HttpError({ status: 400, code: 'unknown_parameter', message, param: unknown });
}
