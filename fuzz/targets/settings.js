// A1111's settings text: read, written again, and read again.
import { formatParameters, parseParameters } from '@sd/image';
import { settingsText } from '../settings-text.js';

export default () => ({
  generate: (random) => ({ text: settingsText(random, random.chance(0.02) ? 3000 : 40) }),
  run({ text }) {
    const read = parseParameters(text);
    if (Object.getPrototypeOf(read.settings) !== Object.prototype)
      throw new Error('the settings have another prototype');
    const again = parseParameters(formatParameters(read));
    const differs = ['prompt', 'negativePrompt'].find(
      (name) => Object.keys(read.settings).length >= 3 && again[name] !== read[name],
    );
    if (differs !== undefined) throw new Error(`${differs} does not read back`);
  },
});
