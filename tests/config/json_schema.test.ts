import { configJsonSchema } from "../../lib/config/json_schema.ts";
import { assertEquals } from "../assert.ts";

interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
}

const schema = configJsonSchema() as Node;

function* nodes(node: Node, path = ""): Generator<[path: string, node: Node]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) yield* nodes(child, `${path}.${name}`);
  if (node.items) yield* nodes(node.items, `${path}[]`);
}

Deno.test("the JSON Schema requires routes alone", () => assertEquals(schema.required, ["routes"]));

Deno.test("the JSON Schema allows no unknown field anywhere", () => {
  const open = [...nodes(schema)].filter(([, node]) =>
    node.properties && node.additionalProperties !== false
  );
  assertEquals(open, []);
});

Deno.test("the JSON Schema describes every value", () => {
  const leaves = [...nodes(schema)].filter(([, node]) => !node.properties && !node.items);
  assertEquals(leaves.filter(([, node]) => !node.description).map(([path]) => path), []);
});

Deno.test("the JSON Schema takes an ID as text and as an integer", () => {
  assertEquals(schema.properties?.["routes"]?.items?.properties?.["id"]?.type, ["string", "integer"]);
});

Deno.test("the JSON Schema is plain JSON", () => {
  assertEquals(JSON.parse(JSON.stringify(schema)), schema);
});
