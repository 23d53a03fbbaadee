/** The parser's schemas by name. */

import type { Schema } from "./std_yaml_loader.d.ts";

/** Schemas that `parse` accepts. */
export const SCHEMA_MAP: ReadonlyMap<"failsafe" | "default", Schema>;
