/** The Dockerfile, by `dockerfile-utils`. */

// @ts-types="./std.d.ts"
import { assertEquals } from "@std/assert";
import { validate } from "dockerfile-utils";
import { readProject } from "./files.ts";

Deno.test("the Dockerfile has neither errors nor warnings", () => {
  const problems = validate(readProject("Dockerfile")).map(({ range, message }) =>
    `${range.start.line + 1}: ${message}`
  );
  assertEquals(problems, []);
});

Deno.test("an unknown instruction is reported", () => {
  assertEquals(validate("FROM scratch\nRUNN true\n").length, 1);
});
