import type { AdaptedLayer, Graph, LayerHook, Value } from '@sd/graph';

/** What the keys and the values of an attention are made from, each [n, tokens, width]. */
export interface AttentionSources {
  readonly key: Value;
  readonly value: Value;
}

/** An attention that was just written. */
export interface AttentionCall {
  /** Its name in the checkpoint: `down_blocks.0.attentions.0.transformer_blocks.0.attn2`. */
  readonly module: string;
  /** Queries, [n, places, width]. */
  readonly query: Value;
  readonly heads: number;
  /** What it gives so far, before its output projection: [n, places, width]. */
  readonly output: Value;
}

/** What an extension changes in one graph; each returns what it was given where it has nothing to change. */
export interface UnetHooks {
  /** What a linear layer or a convolution gives: LoRA and its kin. */
  readonly layer?: LayerHook;
  /** What an attention's keys and values are made from: hypernetworks. */
  readonly sources?: (module: string, sources: AttentionSources) => AttentionSources;
  /** What an attention gives: image prompts. */
  readonly attention?: (call: AttentionCall) => Value;
  /**
   * The feature map [n, c, h, w] at a place: motion modules, ControlNets, T2I-Adapters. Places are
   * `down_blocks.0.layers.1` and `up_blocks.0.layers.2` after each residual block and its attention, `down_blocks.0` after
   * a block whole, `mid_block.layers.0` after the middle's attention, `mid_block` after the middle, and `skips.0` up to the
   * last for what goes over to the way up.
   */
  readonly feature?: (place: string, x: Value) => Value;
}

/** Something that is added to a U-Net without a change to its weights. */
export interface UnetExtension {
  /** Its name among those of one U-Net, which its inputs have in theirs: `strength.style`. */
  readonly name: string;
  /** Called once for each graph that is written: asks for its (optional) inputs, and says what it changes. */
  extend(g: Graph): UnetHooks;
}

/** The hooks of all extensions as one, in their order. */
export function joinedHooks(g: Graph, extensions: readonly UnetExtension[]): Required<UnetHooks> {
  const all = extensions.map((extension) => extension.extend(g));
  return {
    layer: (layer: AdaptedLayer) =>
      all.reduce((output, { layer: change }) => change?.({ ...layer, output }) ?? output, layer.output),
    sources: (module, sources) => all.reduce((given, hooks) => hooks.sources?.(module, given) ?? given, sources),
    attention: (call) => all.reduce((output, hooks) => hooks.attention?.({ ...call, output }) ?? output, call.output),
    feature: (place, x) => all.reduce((given, hooks) => hooks.feature?.(place, given) ?? given, x),
  };
}
