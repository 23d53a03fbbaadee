/** Counts the pending timers of this thread. */

/** Counts timers that are set from now on, until it is disposed of. */
export function countTimers(): { readonly active: number } & Disposable {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const active = new Set<unknown>();
  const clear = (id?: Parameters<typeof clearTimeout>[0]) => {
    active.delete(id);
    clearTimeout(id);
  };
  const originals = { setTimeout, clearTimeout, setInterval, clearInterval };
  Object.assign(globalThis, {
    setTimeout: (act: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const id = setTimeout(() => {
        active.delete(id);
        act(...args);
      }, ms);
      active.add(id);
      return id;
    },
    setInterval: (...args: Parameters<typeof setInterval>) => {
      const id = setInterval(...args);
      active.add(id);
      return id;
    },
    clearTimeout: clear,
    clearInterval: clear,
  });
  return {
    get active() {
      return active.size;
    },
    [Symbol.dispose]: () => void Object.assign(globalThis, originals),
  };
}
