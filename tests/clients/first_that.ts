/** Finds installed programs. */

/** A program and its first arguments. */
export type Tool = readonly [program: string, ...args: string[]];

/** The first of `tools` that runs with `args` and succeeds. */
export function firstThat(tools: readonly Tool[], ...args: string[]): Tool | undefined {
  return tools.find(([program, ...own]) => {
    try {
      const command = new Deno.Command(program, { args: [...own, ...args], stdout: "null", stderr: "null" });
      return command.outputSync().success;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}
