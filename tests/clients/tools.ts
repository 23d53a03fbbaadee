/** External programs that tests use. A test is ignored if its program is missing. */

import { firstThat, type Tool } from "./first_that.ts";

export type { Tool };

/** Debian's own comes first, since another Python on the path may not have Debian's packages. */
const PYTHONS: readonly Tool[] = [["/usr/bin/python3"], ["python3"]];

/** Whether `node` is Node: Deno may provide a command of that name. */
const IS_NODE = "!process.versions.deno";

/** The programs; undefined for a missing one. */
export const TOOLS = {
  python: firstThat(PYTHONS, "-c", ""),
  pythonWebSockets: firstThat(PYTHONS, "-c", "import websockets"),
  /** Node with a built-in WebSocket: from 22 on without a flag. */
  nodeWebSocket: firstThat(
    [["node"], ["node", "--experimental-websocket"]],
    ...["-e", `process.exit(${IS_NODE} && typeof WebSocket === "function" ? 0 : 1)`],
  ),
  nodeTypeScript: firstThat(
    [["node"]],
    ...["-e", `process.exit(${IS_NODE} && process.features.typescript ? 0 : 1)`],
  ),
  cxx: firstThat([["g++"], ["c++"], ["clang++"]], "--version"),
};

/** The result of a program. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function runTool(tool: Tool, args: readonly string[]): Promise<Outcome> {
  const [program, ...own] = tool;
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...own, ...args] }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
