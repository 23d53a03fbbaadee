/** Types of the parts of Deno's standard library in use, which comes from npm without types. */

export function parse(text: string): unknown;
export function parseAll(text: string): unknown[];
export function assertEquals(actual: unknown, expected: unknown, message?: string): void;
