/** The fields of the configuration, read from its JSON Schema. */

import { configJsonSchema } from "../../lib/config/json_schema.ts";

/** The parts of a JSON Schema that tests use. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly additionalProperties?: boolean | SchemaNode;
}

/** The schema of the whole file. */
export function rootSchema(): SchemaNode {
  return configJsonSchema() as SchemaNode;
}

/** Every node at and below `node` with its path, such as `routes[].port` or `pools.*.servers`; the path of the file itself is empty. */
export function* schemaNodes(node: SchemaNode, path = ""): Generator<[path: string, node: SchemaNode]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    yield* schemaNodes(child, path === "" ? name : `${path}.${name}`);
  }
  if (typeof node.additionalProperties === "object") {
    yield* schemaNodes(node.additionalProperties, `${path}.*`);
  }
  if (node.items) yield* schemaNodes(node.items, `${path}[]`);
}

/** The paths of all fields that hold a single value. */
export function configSchemaFields(): string[] {
  return [...schemaNodes(rootSchema())].filter(([, node]) => isLeaf(node)).map(([path]) => path);
}

/** Whether the node is a single value. */
export function isLeaf({ properties, items, additionalProperties }: SchemaNode): boolean {
  return !properties && !items && typeof additionalProperties !== "object";
}
