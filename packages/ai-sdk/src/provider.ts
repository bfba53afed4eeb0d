import { type ImageModelV4, NoSuchModelError, type ProviderV4 } from '@ai-sdk/provider';
import { InvalidOptionError } from '@sd/core';
import { type LoadPipelineOptions, loadPipeline, type Pipeline } from '@sd/pipeline';
import { imageModel } from './image-model.js';

/** The id of the embedded model. */
export const embeddedModel = '@sd/model-tiny';

export interface SdProviderSettings {
  /** Options of `loadPipeline` for every model, such as the backend. */
  readonly load?: LoadPipelineOptions;
  /** Loads the model of an id, in place of `loadPipeline(id)`; for instance with LoRAs attached. Called once per id. */
  readonly loadModel?: (modelId: string) => Promise<Pipeline>;
}

export interface SdProvider extends ProviderV4 {
  /** An image model; the same as `imageModel`. */
  (modelId?: string): ImageModelV4;
  /**
   * The image model of an id: whatever string `loadPipeline` takes, or `@sd/model-tiny`, the default, for the embedded
   * model. It is loaded by its first image, and stays loaded.
   */
  imageModel(modelId?: string): ImageModelV4;
  /** The same as `imageModel`. */
  image(modelId?: string): ImageModelV4;
  /** Ends all runs, and frees all models. A later call loads its model again. */
  dispose(): Promise<void>;
}

/** Creates a provider for the AI SDK. Models of one id share a pipeline, which draws one request at a time. */
export function createSd({ load, loadModel }: SdProviderSettings = {}): SdProvider {
  const pipelines = new Map<string, Promise<Pipeline>>();
  const open = loadModel ?? ((modelId: string) => loadPipeline(modelId === embeddedModel ? undefined : modelId, load));

  const pipelineOf = (modelId: string): Promise<Pipeline> => {
    let loading = pipelines.get(modelId);
    if (loading === undefined) {
      loading = open(modelId);
      pipelines.set(modelId, loading);
      // A model that failed to load may be tried again.
      loading.catch(() => pipelines.delete(modelId));
    }
    return loading;
  };

  const create = (modelId: string = embeddedModel): ImageModelV4 => {
    if (typeof modelId !== 'string' || modelId === '')
      throw new InvalidOptionError('modelId', 'must be a path, an address or the name of a model.');
    return imageModel(modelId, pipelineOf);
  };

  return Object.assign((modelId?: string) => create(modelId), {
    specificationVersion: 'v4' as const,
    imageModel: create,
    image: create,
    languageModel: (modelId: string) => refuse(modelId, 'languageModel'),
    embeddingModel: (modelId: string) => refuse(modelId, 'embeddingModel'),
    async dispose() {
      const loading = [...pipelines.values()];
      pipelines.clear();
      await Promise.all(
        loading.map((pipeline) =>
          pipeline.then(
            (loaded) => loaded.dispose(),
            () => undefined,
          ),
        ),
      );
    },
  });
}

function refuse(modelId: string, modelType: 'languageModel' | 'embeddingModel'): never {
  throw new NoSuchModelError({ modelId, modelType, message: `@sd/ai-sdk has image models only, and no ${modelType}.` });
}

/** The provider with default settings. */
export const sd: SdProvider = createSd();
