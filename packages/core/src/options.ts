export {
  type Check,
  checkFinite,
  checkFraction,
  checkOptional,
  checkSeed,
  checkSide,
  checkText,
  checkWhole,
  describe,
} from './options/checks.js';
export { nearestName } from './options/nearest.js';
export {
  abortSignal,
  type CheckOptionsSettings,
  checkOptions,
  finite,
  flag,
  fraction,
  type OptionRow,
  type OptionTable,
  oneOf,
  text,
  whole,
  withMethod,
} from './options/table.js';
