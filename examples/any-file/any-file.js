// node any-file.js PATH...: what is each file or folder, and what can be done with it?
import { fileURLToPath } from 'node:url';
import { folder } from '@sd/model-tiny';
import { inspect, SdError } from '@sd/pipeline';

const embedded = fileURLToPath(folder);
const given = process.argv.slice(2);
const places = given.length > 0 ? given : [embedded, `${embedded}unet/diffusion_pytorch_model.safetensors`];

for (const place of places) {
  console.log(place);
  try {
    for (const line of explained(await inspect(place))) console.log(`  ${line}`);
  } catch (error) {
    // Not there, broken, or a pickle that calls out.
    if (!(error instanceof SdError)) throw error;
    console.log(`  ${error.message}`);
    process.exitCode = 1;
  }
}

/** @param {import('@sd/pipeline').Inspection} inspection */
function explained({ kind, family, layout, dtypes, details, canDo }) {
  const what = [kind, family && `for ${family}`, layout && `${layout} layout`, dtypes.join(' and ')].filter(Boolean);
  const more = Object.entries(details).map(([name, value]) => `${name}: ${[value].flat().join(', ')}`);
  return [what.join(', '), ...more, canDo];
}
