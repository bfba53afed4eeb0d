import { InvalidOptionError, show } from '@sd/core';

const huggingFace = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/([\w.-]+\/[\w.-]+)(?:\/(tree|blob)\/.*)?\/?$/;
const civitai = /^https?:\/\/(?:www\.)?civitai\.(?:com|green|red)\/models\//;

/** Throws an InvalidOptionError (`source`) for the address of a model's web page, which says where its files are. */
export function refuseWebPage(address: string): void {
  const plain = address.split(/[?#]/)[0];
  const [, , view] = huggingFace.exec(plain) ?? [plain];
  const advice =
    view === 'blob'
      ? `The file itself is at ${plain.replace('/blob/', '/resolve/')}.`
      : huggingFace.test(plain)
        ? 'A folder of its files is at the same address with /resolve/main/ after it.'
        : civitai.test(plain)
          ? 'Copy the address of its Download button, or download the file and give its path.'
          : undefined;
  if (advice !== undefined) throw new InvalidOptionError('source', `${show(address)} is a web page. ${advice}`);
}
