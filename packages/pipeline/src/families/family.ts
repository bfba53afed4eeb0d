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
 * A family of models of one architecture: how its files are recognised, which components it has, how texts are composed for
 * its noise predictor, and what else conditions it. Each family is a folder or file here and a line of `families`; nothing
 * outside names one.
 */
export interface Family extends ModelFamily {
  /** Text encoders in diffusers' order. */
  readonly textEncoders: readonly TextEncoderComponent[];
  readonly noisePredictor: Component<NoisePredictor>;
  readonly vae: Component<Vae>;
  readonly folder: FolderForm;
  readonly file: SingleFileForm;
  /**
   * How the runs of a model of this family are composed from its stages.
   * @param index The model's `model_index.json`, as far as it has one.
   */
  composition(stages: Stages, index?: Json): Composition;
  /** Whether stages that somebody put together are those of such a model. */
  fits(stages: Pick<Stages, 'noisePredictor' | 'textEncoders'>): boolean;
}

/** A part of a model, by diffusers' name: `unet`, `text_encoder_2`. */
export interface Component<Stage> {
  readonly name: string;
  /** The classes of diffusers or transformers that it may be of in `model_index.json`. */
  readonly classes: readonly string[];
  /** Opens it from a folder, or from weights and a config. */
  load(from: { readonly backend: Backend } & (ModelFolder | ModelParts)): Promise<Stage>;
  /** Opens it as a model that was exported to ONNX, where such exports exist. */
  loadOnnx?(from: OnnxComponent): Promise<Stage>;
  /** Its config, from the names and shapes of a single file's tensors and what is `known` of it besides. */
  configFromShapes(path: string, tensors: Tensors, known: Json): Json;
  /** The tensors of a single file that a model of this config uses; all by default. */
  usedTensors?(tensors: Tensors, config: Config): Tensors;
}

export interface OnnxComponent {
  readonly backend: Backend;
  readonly source: Source;
  /** Its folder in the source; the default is the component's name. */
  readonly folder?: string;
}

export interface TextEncoderComponent extends Component<TextEncoder> {
  /** diffusers' name of its tokenizer. */
  readonly tokenizer: string;
  readonly tokenizerClasses: readonly string[];
  loadTokenizer(source: Source, folder: string): Promise<Tokenizer>;
  /** Which hidden states the noise predictor attends to. */
  readonly output: NonNullable<TextEncoderOptions['output']>;
  /** True if it reads a prompt's text without its weights, in one window, as T5 does. */
  readonly ignoresWeights?: boolean;
  /** True if a model may come without it. */
  readonly optional?: boolean;
  /** Files of its tokenizer, for a model in one file, by their names in the tokenizer's folder. */
  tokenizerFiles?(): Promise<ReadonlyMap<string, string>>;
}

/** How a family's runs are composed from its stages. */
export interface Composition {
  /** Id of the family, for pictures' settings and messages. */
  readonly family: string;
  /** diffusers' name of the component that predicts noise. */
  readonly noisePredictor: string;
  /** diffusers' names of the text encoders, in their order, and how each is asked. */
  readonly textEncoders: readonly Pick<TextEncoderComponent, 'name' | 'output' | 'ignoresWeights'>[];
  /** What the noise predictor attends to, from what each text encoder made of one text. */
  combine(texts: readonly EncodedText[]): TextEmbedding;
  /** Whether `clipSkip` leaves out layers for the negative prompt too. */
  readonly clipSkipForNegative: boolean;
  /** Whether a negative prompt that is not given is an embedding of zeros, rather than that of an empty text. */
  readonly zeroNegative: boolean;
  /** What a run takes where its options do not say it: 20 steps at a guidance scale of 7.5, unless the family knows better. */
  readonly defaults?: { readonly steps: number; readonly guidanceScale: number };
  /** How many of a run's steps a strength leaves: as diffusers' pipelines of the family round; `floor(steps * strength)` by default. */
  stepsFor?(steps: number, strength: number): number;
  /** Sides must be multiples of this many pixels; the VAE's factor by default. */
  readonly sideMultiple?: number;
  /** Options of `generate` that this family alone has. */
  readonly options: OptionTable<object>;
  /** Inputs of the noise predictor besides text that the family always has, for a pass that draws pictures of this size. */
  condition?(options: FamilyOptions, size: Size): Condition;
}

/** Options of `generate` that are a family's own, checked by their table. */
export type FamilyOptions = Readonly<Record<string, unknown>>;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a folder's `model_index.json` and its noise predictor's config tell of the family. */
export interface FolderFacts {
  /** The class of a component; undefined for one that is not listed. Stages that the caller gives count as listed. */
  classOf(component: string): string | undefined;
  /** The noise predictor's `config.json`; empty where there is none. */
  readonly config: Json;
}

export interface FolderForm {
  recognises(folder: FolderFacts): boolean;
}

/** Names of the tensors of a file that holds a whole model, or one component of it. */
export interface FileLayout {
  /** Where each component stands in a whole model: the prefix of its tensors. */
  readonly prefixes: readonly FilePart[];
  /** Components that a file may consist of alone, without a prefix: a tensor that such a file has. */
  readonly alone: readonly FilePart[];
  /** Tensors that training leaves in a file and that no model uses. */
  readonly leftOver: RegExp;
  /** Whether a file with these names is of this layout. */
  matches(names: { has(name: string): boolean } & Iterable<readonly [string, unknown]>): boolean;
}

export interface FilePart {
  readonly mark: string;
  readonly component: string;
  /** Its tensors by diffusers' names. Throws a CheckpointError where two tensors would have one name. */
  translate(path: string, tensors: Tensors): Tensors;
}

/** A file's tensors by component, under diffusers' names. */
export interface SplitFile {
  readonly path: string;
  readonly components: Readonly<Partial<Record<string, Tensors>>>;
  /** Names of the tensors that belong to no component. */
  readonly unused: readonly string[];
}

export interface SingleFileForm {
  readonly layout: FileLayout;
  /** Whether a file of the layout is of this family, by its noise predictor and text encoders. */
  recognises(file: SplitFile): boolean;
  /** Throws an UnsupportedError, naming it, for a variant of the family that is not supported. */
  refuse?(file: SplitFile): void;
  /** What the file does not tell of each component: values of its config. */
  known(component: string, notes: FileNotes): Json;
  /** The scheduler's config. */
  scheduler(notes: FileNotes): Json;
  /** Further values of `model_index.json`: its class, flags. */
  readonly index: Json;
  /** What an inspection reports of the noise predictor. */
  details(file: SplitFile): Readonly<Record<string, string | number | boolean | undefined>>;
}

/** What a single file says of its training besides the weights, and what the caller says. */
export interface FileNotes {
  readonly metadata: Readonly<Record<string, string>>;
  has(tensor: string): boolean;
  readonly split: SplitFile;
  /** What the model predicts, where the caller says it. */
  readonly prediction: FilePrediction | undefined;
}

export type FilePrediction = 'epsilon' | 'v' | 'flow';
