// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Prints a software bill of materials of the executable: CycloneDX 1.6 in JSON, made from deno.json and deno.lock. The
 * same files give the same bytes. Packages of tests are not in the executable, and so not in it.
 *
 *     deno task -q sbom > dist/switchyard.cdx.json
 */

import project from "../deno.json" with { type: "json" };

/** The licence of each package, which is not in deno.lock; SPDX identifiers. */
const LICENCES: Readonly<Record<string, string>> = {
  "@logtape/logtape": "MIT",
  "@opentelemetry/api": "Apache-2.0",
  "@redis/client": "MIT",
  "@valibot/to-json-schema": "MIT",
  "bintrees": "MIT",
  "deno-std": "MIT",
  "hono": "MIT",
  "ipaddr.js": "MIT",
  "prom-client": "Apache-2.0",
  "tdigest": "MIT",
  "uplot": "MIT",
  "valibot": "MIT",
};

/** The parts of deno.json that are read. */
export interface Project {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
}

/** The parts of deno.lock that are read. Keys of `npm` are `name@version`, and `_peer@version` after it. */
export interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>
  >;
}

/** A component of the bill. */
export interface Component {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: "SHA-512"; readonly content: string }[];
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
}

/**
 * The bill for `project` as `lock` resolves it, on top of the Deno of version `deno`.
 *
 * @param licences The licence of each package by its name.
 * @throws Error if a package is not locked, or its licence is unknown.
 */
export function billOf(
  project: Project,
  lock: Lock,
  deno: string,
  licences: Readonly<Record<string, string>> = LICENCES,
) {
  const direct = [...new Set(Object.values(project.imports).map((specifier) => lockedKey(specifier, lock)))];
  const keys = closure(direct, lock);
  const runtime = runtimeComponent(deno);
  const own = `pkg:generic/switchyard@${project.version}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": own,
        name: "switchyard",
        version: project.version,
        licenses: [{ license: { id: project.license } }],
      } satisfies Component,
    },
    components: [runtime, ...keys.map((key) => componentOf(key, lock, licences))],
    dependencies: [
      { ref: own, dependsOn: [runtime["bom-ref"], ...direct.map(purlOf)] },
      ...keys.map((key) => ({ ref: purlOf(key), dependsOn: dependenciesOf(key, lock).map(purlOf) })),
    ],
  };
}

/** The key in `lock.npm` of a specifier such as `npm:deno-std@1.4.0/yaml/mod.js`. */
function lockedKey(specifier: string, { specifiers }: Lock): string {
  const [, name] = /^npm:((?:@[^/]+\/)?[^/@]+)/.exec(specifier) ?? [];
  const [, wanted] = /^(npm:(?:@[^/]+\/)?[^/]+)/.exec(specifier) ?? [];
  const version = specifiers[wanted ?? ""];
  if (name === undefined || version === undefined) {
    throw new Error(`${specifier} of deno.json is not in deno.lock; run deno install --frozen=false`);
  }
  return `${name}@${version}`;
}

/** `keys` and all that they depend on, in order. */
function closure(keys: readonly string[], lock: Lock): string[] {
  const found = new Set<string>();
  const add = (key: string) => {
    if (found.has(key)) return;
    found.add(key);
    dependenciesOf(key, lock).forEach(add);
  };
  keys.forEach(add);
  return [...found].toSorted();
}

/** The keys of a package's dependencies; the lock file omits the version of a package that has only one. */
function dependenciesOf(key: string, { npm }: Lock): string[] {
  return (npm[key]?.dependencies ?? []).map((wanted) => {
    const found = Object.keys(npm).find((other) => other === wanted || nameOf(other) === wanted);
    if (found === undefined) throw new Error(`${key} depends on ${wanted}, which is not in deno.lock`);
    return found;
  });
}

/** `@valibot/to-json-schema` of `@valibot/to-json-schema@1.8.0_valibot@1.5.0`. */
const nameOf = (key: string) => key.slice(0, key.indexOf("@", 1));

const versionOf = (key: string) => key.slice(nameOf(key).length + 1).split("_")[0] ?? "";

/** The package URL; the `@` of a scope is escaped in it. */
const purlOf = (key: string) => `pkg:npm/${nameOf(key).replace("@", "%40")}@${versionOf(key)}`;

function componentOf(key: string, { npm }: Lock, licences: Readonly<Record<string, string>>): Component {
  const name = nameOf(key);
  const id = licences[name];
  if (id === undefined) throw new Error(`the licence of ${name} is not known: add it to LICENCES in sbom.ts`);
  return {
    type: "library",
    "bom-ref": purlOf(key),
    name,
    version: versionOf(key),
    purl: purlOf(key),
    hashes: [{ alg: "SHA-512", content: hexOf(npm[key]?.integrity ?? "") }],
    licenses: [{ license: { id } }],
  };
}

/** The digest of a subresource integrity (`sha512-BASE64`) in hexadecimal. */
function hexOf(integrity: string): string {
  const [, base64] = /^sha512-([\w+/]+=*)$/.exec(integrity) ?? [];
  if (base64 === undefined) throw new Error(`deno.lock has ${JSON.stringify(integrity)}, expected sha512-…`);
  return Uint8Array.fromBase64(base64).toHex();
}

/** The platform of the packages: Deno and V8, the larger part of the executable. */
function runtimeComponent(version: string): Component {
  const purl = `pkg:github/denoland/deno@v${version}`;
  return {
    type: "platform",
    "bom-ref": purl,
    name: "deno",
    version,
    purl,
    licenses: [{ license: { id: "MIT" } }],
  };
}

/** The bill of this project's executable, on the Deno that runs this. */
export function projectBill() {
  const lock: Lock = JSON.parse(Deno.readTextFileSync(new URL("../deno.lock", import.meta.url)));
  return billOf(project, lock, Deno.version.deno);
}

if (import.meta.main) console.log(JSON.stringify(projectBill(), null, 2));
