/** The output of a script in scripts/bench/ that is run with `args`. */
export async function printed(name: string, ...args: string[]): Promise<string> {
  const script = new URL(`../../../scripts/bench/${name}`, import.meta.url);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", "--no-prompt", script.href, ...args],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}
