const mid = 'mid_block_additional_residual';

/**
 * What exporters call what a ControlNet adds to a U-Net: `down_block_0_additional_residual` (OnnxStack), `down_block_0`
 * (Amblyopius), `down_block_additional_residual.0`. The name that it has here, or undefined for any other name.
 */
export function residualName(name: string): string | undefined {
  if (/^mid_block(_additional)?(_residual|_res_sample)?$/.test(name)) return mid;
  const [, , number] = /^down_block(_additional_residual)?[_.](\d+)(_additional_residual)?$/.exec(name) ?? [];
  return number === undefined ? undefined : `down_block_additional_residual.${Number(number)}`;
}

/**
 * A ControlNet's outputs by the names that they have here. Where not every name says which it is, they go by their order,
 * which all exporters keep: an exporter that was told two names gives them to the first two outputs.
 */
export function residualOutputs(outputs: readonly string[]): ReadonlyMap<string, string> {
  const known = outputs.map(residualName);
  const byName = known.every((name) => name !== undefined) && new Set(known).size === outputs.length;
  const names = byName
    ? known
    : outputs.map((_, i) => (i === outputs.length - 1 ? mid : `down_block_additional_residual.${i}`));
  return new Map(outputs.map((output, i) => [output, names[i]]));
}
