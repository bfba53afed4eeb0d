/** The element with an id. Throws an Error if the page has none. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no #${id}.`);
  return element as T;
}

/** Makes an element with properties and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** Terms and their descriptions, for a `<dl>`. */
export function terms(entries: readonly (readonly [string, string])[]): HTMLElement[] {
  return entries.map(([term, text]) => make('div', {}, make('dt', {}, term), make('dd', {}, text)));
}
