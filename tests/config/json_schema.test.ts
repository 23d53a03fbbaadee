import { assertEquals } from "../assert.ts";
import { isLeaf, rootSchema, schemaNodes } from "./fields.ts";

const schema = rootSchema();

Deno.test("the JSON Schema requires routes alone", () => assertEquals(schema.required, ["routes"]));

Deno.test("the JSON Schema allows no unknown field anywhere", () => {
  const open = [...schemaNodes(schema)].filter(([, node]) =>
    node.properties && node.additionalProperties !== false
  );
  assertEquals(open, []);
});

Deno.test("the JSON Schema describes every value", () => {
  const leaves = [...schemaNodes(schema)].filter(([, node]) => isLeaf(node));
  assertEquals(leaves.filter(([, node]) => !node.description).map(([path]) => path), []);
});

Deno.test("the JSON Schema takes an ID as text and as an integer", () => {
  assertEquals(schema.properties?.["routes"]?.items?.properties?.["id"]?.type, ["string", "integer"]);
});

Deno.test("the JSON Schema is plain JSON", () => {
  assertEquals(JSON.parse(JSON.stringify(schema)), schema);
});

Deno.test("the JSON Schema asks of routes and the default for a host and port, or for a pool", () => {
  const expected = [{ required: ["host", "port"] }, { required: ["pool"] }];
  const { routes, default: fallback } = schema.properties ?? {};
  assertEquals([routes?.items?.anyOf, fallback?.anyOf], [expected, expected]);
});
