/**
 * Puts texts where a page has `<!-- made: NAME -->` and `<!-- end -->` around what was there before.
 * @param {string} page
 * @param {Readonly<Record<string, string>>} texts by name; each must have its place, and each place a text
 */
export function fill(page, texts) {
  const left = new Set(Object.keys(texts));
  const filled = page.replace(/(<!-- made: (\S+) -->\n).*?(\n<!-- end -->)/gs, (_, start, name, end) => {
    if (!left.delete(name)) throw new Error(`There is no text for the place ${name}, or it is there twice.`);
    return `${start}\n${texts[name]}\n${end}`;
  });
  if (left.size > 0) throw new Error(`The page has no <!-- made: ${[...left].join(' -->, <!-- made: ')} -->.`);
  return filled;
}
