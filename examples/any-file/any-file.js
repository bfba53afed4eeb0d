// node any-file.js PATH...: identifies each file or folder, and says what it can be used for.
import { fileURLToPath } from 'node:url';
import { folder } from '@sd/model-tiny';
import { inspect, SdError } from '@sd/pipeline';

const embedded = fileURLToPath(folder);
const paths = process.argv.slice(2);
const inspected = paths.length > 0 ? paths : [embedded, `${embedded}unet/diffusion_pytorch_model.safetensors`];

for (const path of inspected) {
  console.log(path);
  try {
    for (const line of linesOf(await inspect(path))) console.log(`  ${line}`);
  } catch (error) {
    // A missing or broken file, or a pickle that would run code.
    if (!(error instanceof SdError)) throw error;
    console.log(`  ${error.message}`);
    process.exitCode = 1;
  }
}

/** @param {import('@sd/pipeline').Inspection} inspection */
function linesOf({ kind, family, layout, dtypes, details, canDo }) {
  const summary = [kind, family && `for ${family}`, layout && `${layout} layout`, dtypes.join(' and ')].filter(Boolean);
  const rest = Object.entries(details).map(([name, value]) => `${name}: ${[value].flat().join(', ')}`);
  return [summary.join(', '), ...rest, canDo];
}
