/**
 * The text of the first fenced code block of a language.
 * @param {string} markdown
 * @param {string} language
 * @returns {string | undefined}
 */
export function firstBlock(markdown, language) {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(markdown)?.[1];
}
