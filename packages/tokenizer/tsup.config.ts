import { library } from '../../tsup.base.js';

export default library({
  index: 'src/index.ts',
  prompt: 'src/prompt.ts',
  'prompt/plain': 'src/prompt/syntaxes/plain.ts',
  embedding: 'src/embedding.ts',
  testing: 'src/testing.ts',
});
