/** What is used of Deno's standard library, which comes from npm without types. */

export function parse(text: string): unknown;
export function parseAll(text: string): unknown[];
export function assertEquals(actual: unknown, expected: unknown, message?: string): void;
