/** Exit codes of every command; 130 is what shells give a program that Ctrl-C ended. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;
