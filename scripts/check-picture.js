// node scripts/check-picture.js FILE [PROMPT]
import { checkPicture } from './support/picture.js';

const [file, prompt] = process.argv.slice(2);
await checkPicture(file, { prompt });
