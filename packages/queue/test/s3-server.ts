import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', region: 'eu-central-1' };

/**
 * The part of S3's REST API that a store needs, with its signatures checked as AWS describes them (Signature Version 4):
 * objects of one bucket in memory.
 */
export async function startS3(bucket: string) {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = (status: number, code = '') => response.writeHead(status).end(code && `<Code>${code}</Code>`);
    if (!isSigned(request)) return answer(403, 'SignatureDoesNotMatch');
    const [, name, ...rest] = decodeURIComponent(request.url ?? '').split('/');
    const key = rest.join('/');
    if (name !== bucket) return answer(404, 'NoSuchBucket');
    if (request.method === 'PUT') objects.set(key, Buffer.concat(chunks));
    if (request.method === 'DELETE') objects.delete(key);
    if (request.method === 'DELETE') return answer(204);
    const found = objects.get(key);
    if (found === undefined) return answer(404, 'NoSuchKey');
    return response.writeHead(200).end(request.method === 'GET' ? found : undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

function isSigned({ method, url, headers }: IncomingMessage): boolean {
  const [, scope, names, signature] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)/.exec(headers.authorization ?? '') ?? [];
  if (signature === undefined) return false;
  const signed = names.split(';').map((name) => `${name}:${headers[name]}\n`);
  const hash = String(headers['x-amz-content-sha256']);
  const canonical = [method, url, '', signed.join(''), names, hash].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, digest].join('\n');
  return hmac(key, text).toString('hex') === signature;
}
