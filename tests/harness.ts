/** For tests that are not moved to the files yet. */
export * from "./bytes.ts";
export * from "./clients.ts";
export * from "./upstreams.ts";
export * from "./fixture.ts";
export * from "./wait.ts";
