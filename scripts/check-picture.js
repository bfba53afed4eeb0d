// node scripts/check-picture.js FILE [PROMPT]: checks a generated PNG and, if given, the prompt recorded in it.
import { checkPicture } from './support/picture.js';

const [file, prompt] = process.argv.slice(2);
await checkPicture(file, { prompt });
