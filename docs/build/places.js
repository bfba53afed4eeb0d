/**
 * Replaces what a page has between `<!-- made: NAME -->` and `<!-- end -->`.
 * @param {string} page
 * @param {Readonly<Record<string, string>>} texts by name; texts and pairs of marks must correspond one to one
 */
export function fill(page, texts) {
  const left = new Set(Object.keys(texts));
  const filled = page.replace(/(<!-- made: (\S+) -->\n).*?(\n<!-- end -->)/gs, (_, start, name, end) => {
    if (!left.delete(name)) throw new Error(`There is no text for <!-- made: ${name} -->, or the page has it twice.`);
    return `${start}\n${texts[name]}\n${end}`;
  });
  if (left.size > 0) throw new Error(`The page has no <!-- made: ${[...left].join(' -->, <!-- made: ')} -->.`);
  return filled;
}
