import type { ModelFamily } from '@sd/adapters';
import type {
  Backend,
  NoisePredictor,
  Source,
  TextEmbedding,
  TextEncoder,
  TextEncoderOptions,
  Tokenizer,
  Vae,
} from '@sd/core';
import type { OptionTable } from '@sd/core/options';
import type { Condition } from '@sd/guidance';
import type { EncodedText } from '@sd/tokenizer/embedding';
import type { Config, ModelFolder, ModelParts, TensorView } from '@sd/weights';
import type { Stages } from '../stages.js';

/** The contents of a `config.json`, or of another JSON file of a diffusers folder. */
export type Json = Readonly<Record<string, unknown>>;

export type Tensors = ReadonlyMap<string, TensorView>;

/**
 * A family of models with the same architecture: how its files are recognised, which components it has, and how prompts and
 * other inputs condition its noise predictor. Each family is a file or folder here and a line of `families`; no other code
 * refers to a family by name.
 */
export interface Family extends ModelFamily {
  /** Text encoders in diffusers' order. */
  readonly textEncoders: readonly TextEncoderComponent[];
  readonly noisePredictor: Component<NoisePredictor>;
  readonly vae: Component<Vae>;
  /** Defaults of `generate`; those of Stable Diffusion 1 if left out. */
  readonly defaults?: UsualDefaults;
  readonly folder: FolderForm;
  readonly file: SingleFileForm;
  /**
   * How a model's stages work together in a run.
   * @param index The model's `model_index.json`, if it has one.
   */
  composition(stages: Stages, index?: Json): Composition;
  /** Whether stages that were passed to `createPipeline` appear to be those of such a model. */
  fits(stages: Pick<Stages, 'noisePredictor' | 'textEncoders'>): boolean;
}

export interface UsualDefaults {
  readonly steps: number;
  readonly guidanceScale: number;
}

export const usualDefaults: UsualDefaults = { steps: 20, guidanceScale: 7.5 };

/** A part of a model, by diffusers' name: `unet`, `text_encoder_2`. */
export interface Component<Stage> {
  readonly name: string;
  /** Its possible classes, of diffusers or transformers, in `model_index.json`. */
  readonly classes: readonly string[];
  /** Loads it from a folder, or from weights and a config. */
  load(from: { readonly backend: Backend } & (ModelFolder | ModelParts)): Promise<Stage>;
  /** Loads it from an ONNX export, if the component is supported as one. */
  loadOnnx?(from: OnnxComponent): Promise<Stage>;
  /** Its config, from the names and shapes of a single file's tensors and from `known`, the values that they do not show. */
  configFromShapes(path: string, tensors: Tensors, known: Json): Json;
  /** The keys that its config may have; any by default. */
  settings?(): Promise<readonly string[]>;
  /** The tensors of a single file that a model with this config uses; all by default. */
  usedTensors?(tensors: Tensors, config: Config): Tensors;
}

export interface OnnxComponent {
  readonly backend: Backend;
  readonly source: Source;
  /** Its folder in the source; by default the component's name. */
  readonly folder?: string | undefined;
}

export interface TextEncoderComponent extends Component<TextEncoder> {
  /** Its tokenizer's name in diffusers. */
  readonly tokenizer: string;
  readonly tokenizerClasses: readonly string[];
  loadTokenizer(source: Source, folder: string): Promise<Tokenizer>;
  /** Which hidden states the noise predictor uses. */
  readonly output: NonNullable<TextEncoderOptions['output']>;
  /** True if it ignores prompt weights and `clipSkip` and reads a single window, as T5 does. */
  readonly ignoresWeights?: boolean;
  /** True if models may lack it. */
  readonly optional?: boolean;
  /** The files of its tokenizer by name, for models in a single file, which do not contain them. */
  tokenizerFiles?(): Promise<ReadonlyMap<string, string>>;
}

/** How the stages of a model work together in a run: its text encoders, further inputs, and defaults. */
export interface Composition {
  /** Id of the family, for messages. */
  readonly family: string;
  /** The noise predictor's name in diffusers: `unet`, `transformer`. */
  readonly noisePredictor: string;
  /** The text encoders in order: their names in diffusers, and how each is used. */
  readonly textEncoders: readonly Pick<TextEncoderComponent, 'name' | 'output' | 'ignoresWeights'>[];
  /** Combines the text encoders' outputs for one text into the noise predictor's context. */
  combine(texts: readonly EncodedText[]): TextEmbedding;
  /** Whether `clipSkip` applies to the negative prompt too. */
  readonly clipSkipForNegative: boolean;
  /** Whether a missing negative prompt is an embedding of zeros rather than that of an empty text. */
  readonly zeroNegative: boolean;
  /** Defaults of `generate`: 20 steps and a guidance scale of 7.5 if left out. */
  readonly defaults?: UsualDefaults;
  /** How many of a run's steps a strength keeps, rounded as in diffusers' pipelines; `floor(steps * strength)` by default. */
  stepsFor?(steps: number, strength: number): number;
  /** Widths and heights must be multiples of this many pixels; by default the VAE's factor. */
  readonly sideMultiple?: number;
  /** Options of `generate` that only this family has. */
  readonly options: OptionTable<object>;
  /** Inputs of the noise predictor besides the context that the family always has, for a pass at this image size. */
  condition?(options: FamilyOptions, size: Size): Condition;
}

/** Options of `generate`, among them those that only one family has; the values were checked by their tables. */
export type FamilyOptions = Readonly<Record<string, unknown>>;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The facts by which a diffusers folder's family is recognised. */
export interface FolderFacts {
  /** A component's class in `model_index.json`; undefined if it is not listed. Replaced components count as listed. */
  classOf(component: string): string | undefined;
  /** The noise predictor's `config.json`; empty if there is none. */
  readonly config: Json;
}

export interface FolderForm {
  recognises(folder: FolderFacts): boolean;
}

/** The tensor names of single files, which hold a whole model or one of its components. */
export interface FileLayout {
  /** The components of a whole model; `mark` is the prefix of a component's tensors. */
  readonly prefixes: readonly FilePart[];
  /** Components that a file may hold alone, without a prefix; `mark` is a tensor that such a file has. */
  readonly alone: readonly FilePart[];
  /** Tensors left over from training, which no model uses. */
  readonly leftOver: RegExp;
  /** Whether a file with these tensors has this layout. */
  matches(names: { has(name: string): boolean } & Iterable<readonly [string, unknown]>): boolean;
}

/** How a component is found in a single file, and how its tensors are renamed. */
export interface FilePart {
  readonly mark: string;
  /** The component's name, which may depend on the file's other tensors. */
  readonly component: string | ((names: { has(name: string): boolean }) => string);
  /** Renames its tensors to diffusers' names. Throws a CheckpointError if two tensors would get the same name. */
  translate(path: string, tensors: Tensors): Tensors;
}

/** A single file's tensors by component, under diffusers' names. */
export interface SplitFile {
  readonly path: string;
  readonly components: Readonly<Partial<Record<string, Tensors>>>;
  /** Names of tensors that belong to no component. */
  readonly unused: readonly string[];
}

export interface SingleFileForm {
  readonly layout: FileLayout;
  /** Small tensors that say how the model was trained; their values are read for `known` and `scheduler`. */
  readonly markers?: readonly string[];
  /** Whether a file with the layout belongs to this family, by its noise predictor and text encoders. */
  recognises(file: SplitFile): boolean;
  /** Throws an UnsupportedError that names the variant if the file is an unsupported variant of the family. */
  refuse?(file: SplitFile): void;
  /** Config values of a component that its tensors do not show. */
  known(component: string, notes: FileNotes): Json;
  /** Config values of a component that the file itself states; they override those of a config folder. */
  stated?(component: string, notes: FileNotes): Json;
  /** The scheduler's config. */
  scheduler(notes: FileNotes): Json;
  /** Values for `model_index.json`: the pipeline's class, flags. */
  readonly index: Json;
  /** What `inspect()` reports about the noise predictor. */
  details(file: SplitFile): Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Statements about how the model was trained, from a single file (apart from its weights) and the caller. */
export interface FileNotes {
  readonly metadata: Readonly<Record<string, string>>;
  has(tensor: string): boolean;
  /** The values of the family's `markers` that the file has. */
  readonly markers: ReadonlyMap<string, readonly number[]>;
  readonly split: SplitFile;
  /** What the model predicts, if the caller said so. */
  readonly prediction: FilePrediction | undefined;
}

export type FilePrediction = 'epsilon' | 'v' | 'flow';
