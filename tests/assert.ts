/**
 * The assertions of `@std/assert`, typed.
 *
 * The npm build of the standard library ships no types, so this is the one place that gives them theirs.
 * Tests import from here: `import { assertEquals } from "../assert.ts";`
 */

import * as std from "@std/assert";

/** A class that errors or values are compared with; abstract ones too. */
// deno-lint-ignore no-explicit-any
export type AnyConstructor<T> = abstract new (...args: any[]) => T;

/** Signatures of the functions of `@std/assert` that the tests use. */
interface Assertions {
  assert(condition: unknown, message?: string): asserts condition;
  assertFalse(condition: unknown, message?: string): void;
  assertEquals<T>(actual: T, expected: T, message?: string): void;
  assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
  assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void;
  assertAlmostEquals(actual: number, expected: number, tolerance?: number, message?: string): void;
  assertGreater<T>(actual: T, low: T, message?: string): void;
  assertGreaterOrEqual<T>(actual: T, low: T, message?: string): void;
  assertLess<T>(actual: T, high: T, message?: string): void;
  assertLessOrEqual<T>(actual: T, high: T, message?: string): void;
  assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
  assertInstanceOf<T>(actual: unknown, type: AnyConstructor<T>, message?: string): asserts actual is T;
  assertNotInstanceOf<T>(actual: unknown, type: AnyConstructor<T>, message?: string): void;
  assertMatch(actual: string, pattern: RegExp, message?: string): void;
  assertNotMatch(actual: string, pattern: RegExp, message?: string): void;
  assertStringIncludes(actual: string, part: string, message?: string): void;
  assertArrayIncludes<T>(actual: ArrayLike<T>, parts: ArrayLike<T>, message?: string): void;
  assertObjectMatch(actual: object, expected: object, message?: string): void;
  assertIsError<E extends Error>(
    error: unknown,
    type?: AnyConstructor<E>,
    messagePart?: string | RegExp,
    message?: string,
  ): asserts error is E;
  assertThrows(run: () => unknown, message?: string): unknown;
  assertThrows<E extends Error>(
    run: () => unknown,
    type: AnyConstructor<E>,
    messagePart?: string,
    message?: string,
  ): E;
  assertRejects(run: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
  assertRejects<E extends Error>(
    run: () => PromiseLike<unknown>,
    type: AnyConstructor<E>,
    messagePart?: string,
    message?: string,
  ): Promise<E>;
  fail(message?: string): never;
  unreachable(message?: string): never;
}

const typed = std as unknown as Assertions;

// Assertion signatures need names with an explicit type, hence one line each.

/** Fails unless the condition is truthy, and narrows it. */
export const assert: Assertions["assert"] = typed.assert;
/** Fails unless the condition is falsy. */
export const assertFalse: Assertions["assertFalse"] = typed.assertFalse;
/** Fails unless both are deeply equal. */
export const assertEquals: Assertions["assertEquals"] = typed.assertEquals;
/** Fails if both are deeply equal. */
export const assertNotEquals: Assertions["assertNotEquals"] = typed.assertNotEquals;
/** Fails unless both are the same by `Object.is`. */
export const assertStrictEquals: Assertions["assertStrictEquals"] = typed.assertStrictEquals;
/** Fails if both are the same by `Object.is`. */
export const assertNotStrictEquals: Assertions["assertNotStrictEquals"] = typed.assertNotStrictEquals;
/** Fails unless the numbers are within the tolerance. */
export const assertAlmostEquals: Assertions["assertAlmostEquals"] = typed.assertAlmostEquals;
/** Fails unless `actual > low`. */
export const assertGreater: Assertions["assertGreater"] = typed.assertGreater;
/** Fails unless `actual >= low`. */
export const assertGreaterOrEqual: Assertions["assertGreaterOrEqual"] = typed.assertGreaterOrEqual;
/** Fails unless `actual < high`. */
export const assertLess: Assertions["assertLess"] = typed.assertLess;
/** Fails unless `actual <= high`. */
export const assertLessOrEqual: Assertions["assertLessOrEqual"] = typed.assertLessOrEqual;
/** Fails for null and undefined, and narrows. */
export const assertExists: Assertions["assertExists"] = typed.assertExists;
/** Fails unless the value is an instance of the class, and narrows. */
export const assertInstanceOf: Assertions["assertInstanceOf"] = typed.assertInstanceOf;
/** Fails if the value is an instance of the class. */
export const assertNotInstanceOf: Assertions["assertNotInstanceOf"] = typed.assertNotInstanceOf;
/** Fails unless the text matches. */
export const assertMatch: Assertions["assertMatch"] = typed.assertMatch;
/** Fails if the text matches. */
export const assertNotMatch: Assertions["assertNotMatch"] = typed.assertNotMatch;
/** Fails unless the text holds the part. */
export const assertStringIncludes: Assertions["assertStringIncludes"] = typed.assertStringIncludes;
/** Fails unless the array holds each of the parts. */
export const assertArrayIncludes: Assertions["assertArrayIncludes"] = typed.assertArrayIncludes;
/** Fails unless the object has everything that `expected` has. */
export const assertObjectMatch: Assertions["assertObjectMatch"] = typed.assertObjectMatch;
/** Fails unless the value is an error of the class, its message holding the part, and narrows. */
export const assertIsError: Assertions["assertIsError"] = typed.assertIsError;
/** Fails unless the function throws; returns what it threw. */
export const assertThrows: Assertions["assertThrows"] = typed.assertThrows;
/** Fails unless the promise rejects; returns the reason. */
export const assertRejects: Assertions["assertRejects"] = typed.assertRejects;
/** Fails. */
export const fail: Assertions["fail"] = typed.fail;
/** Fails: for code that must not be reached. */
export const unreachable: Assertions["unreachable"] = typed.unreachable;
