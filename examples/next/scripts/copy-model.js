// The page that draws in the browser gets the embedded model from the app's public files.
import { cp } from 'node:fs/promises';
import { folder } from '@sd/model-tiny';

await cp(folder, new URL('../public/model/', import.meta.url), { recursive: true });
