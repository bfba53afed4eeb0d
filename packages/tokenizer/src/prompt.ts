export { type ChunkOptions, type Chunks, encodeFragments, type WeightedTokens } from './prompt/chunks.js';
export { type EncodedTexts, type EncodeTextsOptions, encodeTexts } from './prompt/encode/encode-texts.js';
export { type ParseOptions, parsePrompt } from './prompt/parse.js';
export type {
  Clause,
  Fragment,
  NetworkMention,
  Passage,
  PromptPart,
  PromptPlan,
  PromptText,
  RunStep,
  Section,
} from './prompt/prompt-plan.js';
export type { PromptSyntax } from './prompt/prompt-syntax.js';
export { type ScheduledText, scheduleTexts, type TextSchedule } from './prompt/schedule-texts.js';
export { a1111 } from './prompt/syntaxes/a1111.js';
export { comfyui } from './prompt/syntaxes/comfyui.js';
export { compel } from './prompt/syntaxes/compel.js';
export { type PromptSyntaxName, promptSyntaxes, promptSyntaxNamed } from './prompt/syntaxes/index.js';
export { plain } from './prompt/syntaxes/plain.js';
export { type WordTokenizer, withWords } from './prompt/word-tokenizer.js';
export { type PlacedWord, placeWords } from './prompt/words.js';
