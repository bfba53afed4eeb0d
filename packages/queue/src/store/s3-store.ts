import { expectFilesOpen, MissingPackageError, SourceError } from '@sd/core';
import type { AwsClient } from 'aws4fetch';
import type { Store } from './store.js';

export interface S3StoreOptions {
  readonly bucket: string;
  /** By default Amazon's for the region: `https://s3.<region>.amazonaws.com`. */
  readonly endpoint?: string;
  /** `us-east-1` by default. */
  readonly region?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** What the keys begin with, such as `images/`. */
  readonly prefix?: string;
}

/**
 * Keeps images in a bucket of S3, or of a service that speaks its API: R2, MinIO, Ceph, Garage. Needs the package aws4fetch,
 * which signs requests and repeats those that the service could not answer. Rejects with a SourceError that has the
 * service's answer, or a MissingPackageError.
 */
export function s3Store({ bucket, prefix = '', ...options }: S3StoreOptions): Store {
  const { region = 'us-east-1', accessKeyId, secretAccessKey, sessionToken } = options;
  const endpoint = (options.endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/$/, '');
  const urlOf = (key: string) => `${endpoint}/${bucket}/${(prefix + key).split('/').map(encodeURIComponent).join('/')}`;
  let loading: Promise<AwsClient> | undefined;
  const client = () => {
    loading ??= loadClient({ service: 's3', region, accessKeyId, secretAccessKey, sessionToken });
    return loading;
  };

  /** The answer, if its status is expected. */
  async function send(method: string, key: string, body?: Uint8Array, accepted?: number): Promise<Response> {
    const url = urlOf(key);
    const signer = await client();
    const response = await signer.fetch(url, { method, body: body as Uint8Array<ArrayBuffer> | undefined });
    if (response.ok || response.status === accepted) return response;
    const answer = (await response.text()).slice(0, 300);
    throw new SourceError(
      'read-failed',
      url,
      `${method} ${url}: the store answered ${response.status} ${response.statusText}. ${answer}`.trim(),
    );
  }

  return {
    async put(key, bytes) {
      await (await send('PUT', key, bytes)).body?.cancel();
    },
    async get(key) {
      const response = await send('GET', key, undefined, 404);
      if (response.status !== 404) return new Uint8Array(await response.arrayBuffer());
      const answer = await response.text();
      // A bucket that is missing is a mistake, unlike an object.
      if (answer.includes('NoSuchBucket')) {
        throw new SourceError('not-found', urlOf(key), `There is no bucket ${bucket} at ${endpoint}: create it.`);
      }
      return undefined;
    },
    async delete(key) {
      await (await send('DELETE', key, undefined, 404)).body?.cancel();
    },
  };
}

async function loadClient(options: ConstructorParameters<typeof AwsClient>[0]): Promise<AwsClient> {
  expectFilesOpen();
  try {
    const { AwsClient: Client } = await import('aws4fetch');
    return new Client(options);
  } catch (error) {
    throw new MissingPackageError('aws4fetch', 'A store on S3', { cause: error });
  }
}
