/** The manifests against the schemas that Kubernetes publishes, as `kubernetes-models` carries them. */

// @ts-types="./std.d.ts"
import { assertEquals } from "@std/assert";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Service } from "kubernetes-models/v1/Service";
import { readDocuments } from "./files.ts";

// deno-lint-ignore no-explicit-any -- a document is anything until it is validated
type Document = any;

const KINDS: Readonly<Record<string, new (document: Document) => { validate(): void; toJSON(): unknown }>> = {
  "apps/v1 Deployment": Deployment,
  "autoscaling/v2 HorizontalPodAutoscaler": HorizontalPodAutoscaler,
  "policy/v1 PodDisruptionBudget": PodDisruptionBudget,
  "v1 ConfigMap": ConfigMap,
  "v1 Service": Service,
};

for (const document of readDocuments("scripts/kubernetes.yaml") as Document[]) {
  const kind = `${document.apiVersion} ${document.kind}`;
  Deno.test(`${kind} fits its schema`, () => {
    const Model = KINDS[kind];
    if (!Model) throw new Error(`${kind} has no schema here`);
    new Model(document).validate();
  });
}

Deno.test("an invalid manifest is reported", () => {
  let problem = "";
  try {
    new Deployment({ metadata: { name: "x" }, spec: { replicas: "2" } } as Document).validate();
  } catch (error) {
    problem = String(error);
  }
  assertEquals(/replicas must be integer/.test(problem), true, problem);
});
