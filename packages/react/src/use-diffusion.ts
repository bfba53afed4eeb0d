import type { GenerateOptions, GenerateResult } from '@sd/pipeline';
import type { WorkerSource } from '@sd/pipeline/worker';
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react';
import { createDrawing, type DrawingState } from './shared/drawing.js';
import type { ModelOptions } from './shared/model.js';
import { createModels, type Models, type ModelsOptions, modelKey } from './shared/models.js';

const Context = createContext<Models>(createModels());

export interface DiffusionProviderProps extends ModelsOptions {
  readonly children?: ReactNode;
}

/**
 * Says how workers are started, and how long models stay, for the hooks within. Its models are its own; hooks without a
 * provider share those of the page. The options are read once.
 */
export function DiffusionProvider({ children, ...options }: DiffusionProviderProps): ReactNode {
  const [models] = useState(() => createModels(options));
  return createElement(Context.Provider, { value: models }, children);
}

export interface UseDiffusionOptions extends ModelOptions {
  /** The address of a model's folder or file, or files that the user picked. Hooks of the same model share it. */
  readonly model?: WorkerSource | undefined;
  /** Loads the model when the first image is asked for, not when the component appears. Default: false. */
  readonly lazy?: boolean;
  /** Makes a preview after every so many steps; 0 makes none. Default: 1. */
  readonly previewEvery?: number;
}

export interface Diffusion extends DrawingState {
  /**
   * Draws, after ending this component's earlier run. Resolves with undefined if it fails, for which see `error`, or is
   * aborted; it does not reject.
   */
  generate(options: GenerateOptions): Promise<GenerateResult | undefined>;
  /** Ends this component's run within one step. */
  abort(): void;
}

/**
 * A model in a worker, and this component's runs of it. The model is loaded once for all components that use it, and freed
 * soon after the last has gone; a component that goes ends its run.
 */
export function useDiffusion({ model, lazy = false, previewEvery, ...options }: UseDiffusionOptions = {}): Diffusion {
  const models = useContext(Context);
  const [drawing] = useState(createDrawing);
  const key = modelKey(model, options);
  useEffect(() => {
    drawing.connect(models.use(model, options), !lazy);
    return () => drawing.disconnect();
  }, [models, drawing, key, lazy]);
  const read = () => drawing.state.current;
  const state = useSyncExternalStore(drawing.state.subscribe, read, read);
  return { ...state, generate: (given) => drawing.generate(given, previewEvery), abort: drawing.abort };
}
