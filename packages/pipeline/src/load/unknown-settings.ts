import { settleAll, type Warning } from '@sd/core';
import type { Component } from '../families/family.js';
import type { ModelFiles } from './model-files.js';

/**
 * Warnings for the keys of components' configs that diffusers' classes do not have, such as those of another version. They
 * are left out, as in diffusers.
 */
export async function unknownSettings(
  { settings, exported }: ModelFiles,
  components: readonly Component<unknown>[],
): Promise<Warning[]> {
  const checked = components.filter(({ name }) => !exported.has(name));
  const found = await settleAll(
    checked.map(({ name, settings: keys }) => async () => {
      const known = await keys?.();
      const names = known === undefined ? [] : Object.keys(await settings(name));
      return unknownWarning(
        name,
        names.filter((key) => !key.startsWith('_') && known?.includes(key) === false),
      );
    }),
  );
  return found.flat();
}

function unknownWarning(component: string, names: readonly string[]): Warning[] {
  if (names.length === 0) return [];
  const message = `The config of ${component} has settings that its class does not have: ${names.join(', ')}. They are left out.`;
  return [{ code: 'unknown-settings', message }];
}
