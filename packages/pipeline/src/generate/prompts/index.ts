export { encodePrompts, type Texts } from './encode-prompts.js';
export { checkSyntax, loadSyntax } from './load-syntax.js';
export { type ParsedPrompts, parsePrompts } from './parse-prompts.js';
export type { PassSteps, PromptInput, PromptRequest } from './prompt-request.js';
export type { StackEncoder, TextStack } from './text-stack.js';
