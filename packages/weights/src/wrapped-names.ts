/** Parts that torch.compile, FSDP and activation checkpointing insert anywhere in a module's name. */
const inserted = /(^|\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;

/** Prefixes that a whole file may have: of DataParallel, and of dicts around the state dict. */
const around = /^(module|state_dict|model_state_dict)\./;

/**
 * A file's tensors without the wrappers that training and saving add to the model's names: `_orig_mod.`, and `module.` or
 * `state_dict.` if all names begin with it. Unchanged if two tensors would have the same name.
 */
export function unwrapped<T>(tensors: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  let names = [...tensors.keys()].map((name) => name.replace(inserted, '').replace(/^\./, ''));
  for (let prefix = commonPrefix(names); prefix !== undefined; prefix = commonPrefix(names)) {
    const { length } = prefix;
    names = names.map((name) => name.slice(length));
  }
  const views = [...tensors.values()];
  const result = new Map(names.map((name, i) => [name, views[i]]));
  return result.size === tensors.size ? result : tensors;
}

function commonPrefix([first = '', ...others]: readonly string[]): string | undefined {
  const prefix = around.exec(first)?.[0];
  return prefix !== undefined && others.every((name) => name.startsWith(prefix)) ? prefix : undefined;
}
