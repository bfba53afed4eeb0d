import { InvalidOptionError, show } from '@sd/core';

const civitai = /^https?:\/\/(?:www\.)?civitai\.(?:com|green|red)\/models\//;

/** Throws an InvalidOptionError (`source`) for the address of a model's web page that does not say where its files are. */
export function refuseWebPage(address: string): void {
  if (!civitai.test(address)) return;
  const advice = 'Copy the address of its Download button, or download the file and give its path.';
  throw new InvalidOptionError('source', `${show(address)} is a web page. ${advice}`);
}
