import type { Graph, LayerHooks, Value } from '@sd/graph';

/** The contexts that an attention projects to keys and to values, each [n, tokens, width]. */
export interface AttentionSources {
  readonly key: Value;
  readonly value: Value;
}

/** An attention in the graph, before its output projection. */
export interface AttentionCall {
  /** Its name in the checkpoint: `down_blocks.0.attentions.0.transformer_blocks.0.attn2`. */
  readonly module: string;
  /** Queries, [n, positions, width]. */
  readonly query: Value;
  /** Keys, [n, tokens, width]. */
  readonly key: Value;
  readonly heads: number;
  /** The feature map [n, c, h, w] whose positions, row by row, the queries are; undefined in attention over frames. */
  readonly featureMap?: Value | undefined;
  /** Its output so far, [n, positions, width]. */
  readonly output: Value;
}

/** Changes that an extension makes to one graph. Each hook returns a value unchanged that it does not want to modify. */
export interface UnetHooks extends LayerHooks {
  /** Changes the contexts of an attention's keys and values, as hypernetworks do. */
  readonly sources?: (module: string, sources: AttentionSources) => AttentionSources;
  /** Changes the output of an attention, as image prompts do. */
  readonly attention?: (call: AttentionCall) => Value;
  /**
   * Changes the feature map [n, c, h, w] at a place, as motion modules, ControlNets and T2I-Adapters do. Places are
   * `down_blocks.0.layers.1` and `up_blocks.0.layers.2` after each residual block and its attention, `down_blocks.0` after
   * a whole block, `mid_block.layers.0` after the mid block's attention, `mid_block` after the mid block, and `skips.0` to
   * the last for the skip connections.
   */
  readonly feature?: (place: string, x: Value) => Value;
}

/** An addition to a U-Net that leaves its weights unchanged. */
export interface UnetExtension {
  /** Unique among the extensions of one U-Net; part of the names of its inputs, such as `strength.style`. */
  readonly name: string;
  /** Called once for each graph: declares its (optional) inputs, and returns its hooks. */
  extend(g: Graph): UnetHooks;
}

/** Hooks for what is not a layer, each of which leaves its value alone where there is nothing to change. */
export type BlockHooks = Required<Omit<UnetHooks, keyof LayerHooks>>;

/** Adds the extensions' hooks for layers to the graph, and combines their other hooks, in order. */
export function joinedHooks(g: Graph, extensions: readonly UnetExtension[]): BlockHooks {
  const all = extensions.map((extension) => extension.extend(g));
  for (const hooks of all) g.addHooks(hooks);
  return {
    sources: (module, sources) => all.reduce((given, hooks) => hooks.sources?.(module, given) ?? given, sources),
    attention: (call) => all.reduce((output, hooks) => hooks.attention?.({ ...call, output }) ?? output, call.output),
    feature: (place, x) => all.reduce((given, hooks) => hooks.feature?.(place, given) ?? given, x),
  };
}
