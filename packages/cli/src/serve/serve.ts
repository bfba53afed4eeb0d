import { stat } from 'node:fs/promises';
import path from 'node:path';
import { InvalidOptionError, lazyImport, messageOf } from '@sd/core';
import { loadTable } from '@sd/pipeline';
import type { Engine, ListedModel, ModelsOption } from '@sd/server';
import type { RunningServer, ServerOptions } from '@sd/server/node';
import type { Context } from '../context.js';
import { valuesOf } from '../options/table-options.js';
import type { ServeValues } from './values.js';

/** Starts the server, and stops it after SIGTERM or Ctrl-C, once running requests have ended. */
export async function serve(values: ServeValues, context: Context): Promise<void> {
  const { createServer } = await lazyImport(() => import('@sd/server/node'));
  const stopped = stopSignal(context.signal);
  const server = await createServer(await serverOptions(values, context));
  try {
    await announce(server, values, context);
    await stopped;
    context.stderr.write(`Stopping: running requests have ${values.grace} s.\n`);
  } finally {
    await server.close(values.grace * 1000);
  }
}

async function announce({ url, handler }: RunningServer, values: ServeValues, { stdout, stderr }: Context) {
  const models = await handler.engine.models();
  const base = `${url}${values.basePath ?? ''}`;
  stdout.write(`${base}/  a page to try it\n${base}/v1  OpenAI's Images API\n${base}/sdapi/v1  A1111's API\n`);
  stdout.write(`Models: ${models.map(({ name }) => name).join(', ') || 'none'}\n`);
  if (values.open === true) stderr.write('Warning: without a key, everyone who reaches this address can draw.\n');
}

async function serverOptions(values: ServeValues, { stderr }: Context): Promise<ServerOptions> {
  const { host, port, open, cors, allowHost, basePath, publicUrl, loras, memoryBudget, concurrency, maxWaiting } =
    values;
  const environmentKey = process.env.SD_API_KEY;
  const allowedHosts = allowHost && ['127.0.0.1', 'localhost', '[::1]', host, ...allowHost];
  return {
    ...{ host, port, open, cors, allowedHosts, basePath, publicUrl },
    ...{ loras, memoryBudget, concurrency, maxWaiting },
    apiKeys: [...(values.apiKey ?? []), ...(environmentKey ? [environmentKey] : [])],
    models: await modelsOf(values.models),
    load: valuesOf(values, loadTable),
    aliases: Object.fromEntries((values.alias ?? []).map((text) => pair('alias', text))),
    engine: values.queue === undefined ? undefined : await engineOf(values.queue),
    limits: limitsOf(values),
    onError: (error, { id, path: route }) => stderr.write(`${route} (${id}): ${described(error)}\n`),
    onLoad({ model, milliseconds, error }) {
      const seconds = (milliseconds / 1000).toFixed(1);
      stderr.write(error === undefined ? `Loaded ${model} in ${seconds} s.\n` : `${model}: ${messageOf(error)}\n`);
    },
  };
}

function limitsOf({ maxCount, maxSteps, maxPixels, maxBody }: ServeValues): ServerOptions['limits'] {
  const given = { count: maxCount, steps: maxSteps, pixels: maxPixels, bodyBytes: maxBody };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** A single folder that is no model is a folder of models. */
async function modelsOf(places: readonly string[]): Promise<ModelsOption | undefined> {
  if (places.length === 0) return undefined;
  if (places.length === 1 && (await isFolderOfModels(places[0]))) return places[0];
  return places.map((text): string | ListedModel => {
    const [, name, place] = /^([^=/\\]+)=(.+)$/s.exec(text) ?? [];
    return name === undefined ? text : { name, place };
  });
}

async function isFolderOfModels(place: string): Promise<boolean> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const isModel = async (file: string) =>
    stat(path.join(place, file)).then(
      () => true,
      () => false,
    );
  return isFolder && !(await isModel('model_index.json')) && !(await isModel('unet'));
}

function pair(option: string, text: string): [string, string] {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidOptionError(option, `must be NAME=MODEL, not ${JSON.stringify(text)}.`);
  return [name, value];
}

async function engineOf(connection: string): Promise<Engine> {
  const { queueEngine } = await lazyImport(() => import('@sd/server'));
  const { createQueue } = await lazyImport(() => import('@sd/queue'));
  return queueEngine(createQueue({ connection }));
}

function stopSignal(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve();
    signal.addEventListener('abort', stop, { once: true });
    process.once('SIGTERM', stop);
  });
}

const described = (error: unknown) => String((error as Error | null)?.stack ?? error);
