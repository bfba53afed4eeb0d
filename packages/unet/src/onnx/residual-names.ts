const mid = 'mid_block_additional_residual';

/**
 * Translates an exporter's name for a ControlNet residual to this library's, `down_block_additional_residual.0`: such as
 * `down_block_0_additional_residual` (OnnxStack) or `down_block_0` (Amblyopius). Undefined for any other name.
 */
export function residualName(name: string): string | undefined {
  if (/^mid_block(_additional)?(_residual|_res_sample)?$/.test(name)) return mid;
  const [, , number] = /^down_block(_additional_residual)?[_.](\d+)(_additional_residual)?$/.exec(name) ?? [];
  return number === undefined ? undefined : `down_block_additional_residual.${Number(number)}`;
}

/**
 * Maps a ControlNet's outputs to this library's names. If some names are ambiguous, by order, which all exporters keep: an
 * exporter with only two names to give, for instance, gives them to the first two outputs.
 */
export function residualOutputs(outputs: readonly string[]): ReadonlyMap<string, string> {
  const known = outputs.map(residualName);
  const areNamed = known.every((name) => name !== undefined) && new Set(known).size === outputs.length;
  const names = areNamed
    ? known
    : outputs.map((_, i) => (i === outputs.length - 1 ? mid : `down_block_additional_residual.${i}`));
  return new Map(outputs.map((output, i) => [output, names[i]]));
}
