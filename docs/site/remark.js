// The links between the repository's Markdown files, as GitHub follows them: files, folders and anchors must exist.
import remarkGfm from 'remark-gfm';
import remarkValidateLinks from 'remark-validate-links';

export default {
  settings: {},
  plugins: [remarkGfm, [remarkValidateLinks, { repository: false }]],
};
