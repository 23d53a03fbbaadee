/** The files for systemd, Docker and Kubernetes agree with the program and with each other. */

// @ts-types="../../lib/config/std_yaml.d.ts"
import { parse } from "@std/yaml";
import project from "../../deno.json" with { type: "json" };
import { emptyConfig, parseConfig } from "../../lib/config/parse.ts";
import { hostPortText } from "../../lib/util/text.ts";
import { isInstalled } from "../../scripts/bench/processes.ts";
import { assert, assertEquals, assertGreater, assertMatch } from "../assert.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

const UNIT = read("scripts/switchyard.service");

/** The documents of scripts/kubernetes.yaml by their kinds. */
function manifests() {
  // deno-lint-ignore no-explicit-any -- their shape is held against schemas by `deno task validate`
  const documents: any[] = read("scripts/kubernetes.yaml").split(/^---$/m).map((text) => parse(text));
  return Object.fromEntries(documents.map((document) => [document.kind, document]));
}

Deno.test("all files name the pinned version of Deno", () => {
  const [, pinned = ""] = /deno@(\d+\.\d+\.\d+)/.exec(read("README.md")) ?? [];
  assert(read("Dockerfile").includes(`denoland/deno:${pinned}\n`), pinned);
  for (const name of ["ci", "release"]) {
    const versions = [...read(`.github/workflows/${name}.yml`).matchAll(/deno-version: (\S+)/g)];
    assertEquals(new Set(versions.map(([, version]) => version)), new Set([pinned]));
  }
  assert(read(".ci/run").includes(`deno@${pinned})`), pinned);
});

Deno.test("systemd and Docker wait longer than the drain before they kill", () => {
  const drain = emptyConfig().timeouts.drain / 1000;
  const [, unit] = /^TimeoutStopSec=(\d+)s$/m.exec(UNIT) ?? [];
  const [, compose] = /stop_grace_period: (\d+)s/.exec(read("scripts/compose.yaml")) ?? [];
  const [, image] = /--stop-timeout (\d+)/.exec(read("Dockerfile")) ?? [];
  for (const seconds of [unit, compose, image]) assertGreater(Number(seconds), drain);
});

Deno.test("Kubernetes waits longer than preStop and the drain of its ConfigMap", () => {
  const { ConfigMap, Deployment } = manifests();
  const { timeouts } = parseConfig(ConfigMap.data["routes.yaml"], "routes.yaml");
  const { terminationGracePeriodSeconds, containers: [container] } = Deployment.spec.template.spec;
  const pause = container.lifecycle.preStop.sleep.seconds;
  assertGreater(terminationGracePeriodSeconds, pause + timeouts.drain / 1000);
});

Deno.test("Kubernetes runs the image of this version, and its Service leads to the port that is listened on", () => {
  const { ConfigMap, Deployment, Service } = manifests();
  const [container] = Deployment.spec.template.spec.containers;
  assertMatch(container.image, new RegExp(`:${project.version}$`));
  const [listener] = parseConfig(ConfigMap.data["routes.yaml"], "routes.yaml").listeners;
  const [port] = container.ports;
  assertEquals(port.containerPort, listener?.address.port);
  assertEquals(Service.spec.ports[0].targetPort, port.name);
  assertEquals(Service.spec.selector, Deployment.spec.template.metadata.labels);
});

Deno.test("the configuration that compose mounts is that of the scenario", () => {
  const mounted = parseConfig(read("scripts/scenario/routes.yaml"), "routes.yaml");
  assertEquals(mounted.routes, parseConfig(read("routes.yaml"), "routes.yaml").routes);
});

Deno.test("the Dockerfile copies no more than its context holds", () => {
  const held = read(".dockerignore").split("\n").flatMap((line) => /^!(.*?)\/?$/.exec(line)?.[1] ?? []);
  const copied = [...read("Dockerfile").matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names = ""]) =>
    names.split(" ")
  );
  assertEquals(copied.toSorted(), held.toSorted());
});

Deno.test("the tasks that workflows and .ci/run call exist", () => {
  const files = [".ci/run", ".github/workflows/ci.yml", ".github/workflows/release.yml"];
  const called = files.flatMap((
    file,
  ) => [...read(file).matchAll(/(?:deno|\[@\]}") task (?:-q )?([\w:-]+)/g)]);
  assertGreater(called.length, 0);
  const missing = called.flatMap(([, name = ""]) => name in project.tasks ? [] : name);
  assertEquals(missing, []);
});

Deno.test("Kubernetes probes the admin listener, and mounts its token", () => {
  const { ConfigMap, Deployment } = manifests();
  const { admin } = parseConfig(ConfigMap.data["routes.yaml"], "routes.yaml");
  assert(admin);
  const [{ ports, readinessProbe, volumeMounts }] = Deployment.spec.template.spec.containers;
  const probed = ports.find(({ name }: { name: string }) => name === readinessProbe.httpGet.port);
  assertEquals(probed.containerPort, admin.address.port);
  const folder = volumeMounts.find(({ name }: { name: string }) => name === "admin").mountPath;
  assertEquals(admin.token_file, `${folder}/token`);
});

Deno.test("Prometheus scrapes the admin listener that compose configures, by the path that it shares", () => {
  const { admin } = parseConfig(read("scripts/metrics/routes.yaml"), "routes.yaml");
  assert(admin);
  const target = hostPortText(admin.address);
  assert(read("scripts/metrics/prometheus.yaml").includes(`["${target}"]`), target);
  assert(read("scripts/compose.metrics.yaml").includes(`--admin, "${target}"`), target);
});

const promtool = { ignore: !await isInstalled("promtool") };

Deno.test({ name: "Prometheus finds nothing wrong with its configuration", ...promtool }, async () => {
  const file = new URL("scripts/metrics/prometheus.yaml", ROOT).pathname;
  const { success, stderr } = await new Deno.Command("promtool", { args: ["check", "config", file] })
    .output();
  assert(success, new TextDecoder().decode(stderr));
});

/** Runs systemd-analyze on the unit, with a program that exists in the place of switchyard. */
async function analyze(...args: string[]) {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/switchyard.service`;
  await Deno.writeTextFile(file, UNIT.replaceAll("/usr/local/bin/switchyard", "/bin/true"));
  const { success, stdout, stderr } = await new Deno.Command("systemd-analyze", { args: [...args, file] })
    .output();
  await Deno.remove(folder, { recursive: true });
  return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const ignore = !await isInstalled("systemd-analyze");

Deno.test({ name: "systemd finds nothing wrong with the unit", ignore }, async () => {
  assertEquals(await analyze("verify"), { success: true, said: "" });
});

Deno.test({ name: "systemd rates the unit's exposure under 2", ignore }, async () => {
  const { success, said } = await analyze("security", "--offline=true", "--threshold=20");
  assert(success, said);
});

Deno.test("the balancers of the compose file with Redis use the hash that it is filled with", () => {
  const { redis, admin } = parseConfig(read("scripts/shared/routes.yaml"), "routes.yaml");
  const compose = read("scripts/compose.redis.yaml");
  assert(redis?.url && admin);
  assert(compose.includes(`\n  ${redis.url.host}:\n`), redis.url.host);
  assert(compose.includes(`"${redis.key}"`), redis.key);
  assert(compose.includes(`--admin, "${hostPortText(admin.address)}"`));
});
