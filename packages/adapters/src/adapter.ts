import type {
  Backend,
  CheckpointStage,
  Conditions,
  ImageEncoder,
  NoisePredictor,
  ResidualInputs,
  Source,
  Tensor,
  Warning,
} from '@sd/core';
import type { Condition } from '@sd/guidance';
import type { WeightsFile } from '@sd/weights';
import type { OnnxFile } from '@sd/weights/onnx-file';
import type { ModelFamily } from './family.js';

/**
 * A kind of adapter: how its files are recognised and opened. Each kind is a folder of this package and a line of
 * `adapterKinds`; nothing outside its folder names it.
 */
export interface AdapterKind {
  /** What `inspect()` and `attach({ kind })` call it: `lora`. */
  readonly name: string;
  /** What can be done with such a file, in a sentence for `inspect()`. */
  readonly usage: string;
  /** True if such files can be distillations, after which a model needs fewer steps and other settings. */
  readonly distils?: true;
  /** How folders of this kind are recognised. */
  readonly folder?: {
    /** The classes that its `config.json` may name. */
    readonly classes?: readonly string[];
    /** Files that stand for their whole folder, such as `pytorch_lora_weights.safetensors`. */
    readonly files?: readonly string[];
  };
  /** Recognises a file of weights by the names and shapes of its tensors; undefined for a file of another kind. */
  detect?(file: WeightsFile, families: readonly ModelFamily[]): AdapterFinding | undefined;
  /** Recognises a model that was exported to ONNX by its inputs and outputs. */
  detectOnnx?(file: OnnxFile): boolean;
  /** Opens a file or folder of this kind for a model. Rejects with SourceError, CheckpointError, UnsupportedError, InvalidOptionError. */
  open(file: AdapterFile, context: AttachContext): Promise<Adapter>;
}

/** A value that an inspection reports: a rank, a token, a number of modules. */
export type Detail = string | number | boolean | readonly (string | number)[];

/** A value from a file as a detail; undefined if a detail cannot have its type. */
export function toDetail(value: unknown): Detail | undefined {
  const isText = (item: unknown) => typeof item === 'string' || typeof item === 'number';
  const fits = isText(value) || typeof value === 'boolean' || (Array.isArray(value) && value.every(isText));
  return fits ? (value as Detail) : undefined;
}

/** A file of weights as recognised by its names and shapes. */
export interface AdapterFinding {
  /** Id of the family of models that it is for, where the file says so. */
  readonly family?: string | undefined;
  /** How its tensors are named: `diffusers`, `original`, `kohya`, `PEFT`, `A1111`. */
  readonly layout: string;
  readonly details?: Readonly<Record<string, Detail | undefined>>;
  /** In place of the kind's `usage`: why it cannot be attached. */
  readonly usage?: string;
}

/** An adapter's file or folder, located and, where it is a file of weights, opened: its header is read once. */
export interface AdapterFile {
  readonly source: Source;
  /** The file in the source; empty for a folder, which the source then is. */
  readonly path: string;
  /** The name that the adapter is attached by. */
  readonly name: string;
  /** Undefined for folders and ONNX files. */
  readonly weights?: WeightsFile | undefined;
}

/** What opening an adapter may need. */
export interface AttachContext {
  readonly model: AdaptedModel;
  /** The adapters that are attached already. */
  readonly adapters: readonly Adapter[];
  /** The supported families, to recognise a file's, and to name them in messages. */
  readonly families: readonly ModelFamily[];
  /** Where the models run that come with an adapter, such as a ControlNet. */
  readonly backend: Backend | undefined;
  /** For an IP-Adapter: its image encoder's folder next to the file, or a stage, which stays the caller's. */
  readonly imageEncoder: string | ImageEncoder | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The model that adapters are attached to. */
export interface AdaptedModel {
  /** diffusers' name of the component that predicts noise: `unet`, `transformer`. */
  readonly noisePredictorComponent: string;
  readonly noisePredictor: NoisePredictor & Partial<CheckpointStage & ResidualInputs>;
  /** The text encoders by diffusers' names, in their order: `text_encoder`, `text_encoder_2`. */
  readonly textEncoders: ReadonlyMap<string, object & Partial<CheckpointStage>>;
}

/** An opened adapter. */
export interface Adapter {
  readonly name: string;
  /** Its kind's name. */
  readonly kind: string;
  /** What it changes in the graphs of the model's components, by diffusers' names: `unet`, `text_encoder_2`. */
  readonly extensions: Readonly<Record<string, unknown>>;
  /** True if it is a part of the noise predictor's graph: it cannot be detached. */
  readonly builtIn?: boolean;
  /** Called once the graphs are written: throws a CheckpointError where the adapter found no place in them. */
  check?(): void;
  /** Called after `check`: what of the file is not used. */
  warnings?(): readonly Warning[];
  /**
   * Reads the settings that a run has for it, `generate({ adapters: { [name]: settings } })`; undefined where the run does
   * not mention it. Throws or rejects with an InvalidOptionError that names the setting, such as `adapters.edges.end`.
   */
  use(settings: unknown, option: string): AdapterUse | Promise<AdapterUse>;
  /**
   * The settings that a prompt asks for by naming the adapter, as `<lora:style:0.7>` does; undefined where the prompt means
   * an adapter of another kind. Left out by kinds that prompts do not name.
   */
  settingsFor?(mention: PromptMention): unknown;
  /** Frees what it holds between runs, apart from its extensions. */
  release?(): Promise<void>;
  /** Frees it for good. */
  dispose?(): Promise<void>;
}

/** What a prompt says of a network that it names. */
export interface PromptMention {
  /** As the prompt has it: `lora`, `lyco`, `hypernet`. */
  readonly kind: string;
  readonly textWeight: number;
  /** For the noise predictor. */
  readonly unetWeight: number;
}

/** An adapter in one run. All members are optional: an adapter that is not used in a run has none. */
export interface AdapterUse {
  readonly warnings?: readonly Warning[];
  /** Inputs of a text encoder by its component name, such as `strength.style`. */
  textInputs?(component: string): Conditions;
  /** Words that it teaches a text encoder, and the vectors [count, width] that each of them stands for. */
  words?(component: string): LearnedWords | readonly LearnedWords[] | undefined;
  /** Inputs of the noise predictor, for one pass of the run at one size; called once a pass. */
  condition?(pass: AdapterPass): Condition | Promise<Condition>;
  /** For an adapter that makes clips of several frames. */
  readonly clip?: ClipUse;
  /** True if it reads an image that is aligned with the generated one, which clips do not support yet. */
  readonly spatial?: boolean;
}

export interface LearnedWords {
  readonly words: readonly string[];
  readonly vectors: Tensor<'float32'>;
}

/** One pass of a run over one image, as adapters see it. */
export interface AdapterPass {
  /** Size of the image that is drawn, in pixels. */
  readonly width: number;
  readonly height: number;
  /** What the noise predictor of the family takes besides text, which a ControlNet of that family takes too. */
  readonly familyCondition: Condition | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface ClipUse {
  readonly frames: number;
  /** The noise predictor for clips, over the one for single frames. */
  noisePredictor(single: NoisePredictor): NoisePredictor;
}
