import { freeLock, lock, tryLock, unlock } from "../../lib/shared/lock.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("one thread at a time holds a lock, which is free once it is unlocked", () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  lock(words, 1, 0);
  assert(!tryLock(words, 1, 1));
  assert(tryLock(words, 0, 1));
  unlock(words, 1);
  assert(tryLock(words, 1, 1));
});

Deno.test("the lock of a dead thread is freed, that of another is not", () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  lock(words, 0, 3);
  lock(words, 1, 4);
  for (const at of [0, 1]) freeLock(words, at, 3);
  assertEquals([tryLock(words, 0, 0), tryLock(words, 1, 0)], [true, false]);
});
