export { type ChunkOptions, type Chunks, chunkOptions, encodeFragments, type WeightedTokens } from './prompt/chunks.js';
export { type ParseOptions, parsePrompt } from './prompt/parse.js';
export type {
  Clause,
  Fragment,
  NetworkMention,
  PromptPart,
  PromptPlan,
  PromptSyntax,
  PromptText,
  RunStep,
  Section,
} from './prompt/plan.js';
export { type PartAtStep, type TextsOver, textsOver } from './prompt/texts-over.js';
export { type WordTokenizer, withWords } from './prompt/words.js';
