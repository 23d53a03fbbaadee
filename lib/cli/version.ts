/** `switchyard version`: the version of Switchyard, and of the parts inside. */

import project from "../../deno.json" with { type: "json" };
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";

/** The versions of this program and of the Deno that it runs on. */
export const VERSION = { version: project.version, deno: Deno.version.deno } as const;

export const spec: CommandSpec = {
  name: "version",
  summary: "Prints the version of Switchyard and of Deno.",
  flags: {
    verbose: { help: "the platform and the packages inside as well" },
    json: { help: "the same as JSON" },
  },
  examples: ["version", "version --verbose"],
};

/** Prints one line, and with `--verbose` one for each part. Always exit status 0. */
export function run(args: readonly string[], io: Io): number {
  const flags = readFlags(args, spec);
  const rows = [
    ["target", Deno.build.target],
    ["deno", Deno.version.deno],
    ["v8", Deno.version.v8],
    ...packages(project.imports),
  ];
  if (flags.has("json")) {
    io.out(JSON.stringify({ switchyard: project.version, ...Object.fromEntries(rows) }));
    return 0;
  }
  io.out(versionText());
  if (!flags.has("verbose")) return 0;
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  for (const [name = "", version] of rows) io.out(`  ${name.padEnd(width)}  ${version}`);
  return 0;
}

/** `switchyard 0.1.0 (deno 2.9.6)` */
export function versionText(): string {
  return `switchyard ${project.version} (deno ${Deno.version.deno})`;
}

/** Name and version of each package in `imports`, which has none of those that only tests use. */
function packages(imports: Readonly<Record<string, string>>): string[][] {
  const specifiers = Object.values(imports).map((specifier) => specifier.match(/^npm:(.+?[^/])@([^/]+)/));
  const versions = new Map(specifiers.flatMap((match) => match ? [[match[1] ?? "", match[2] ?? ""]] : []));
  return [...versions].toSorted();
}
