/** `admin`: where the admin API, the metrics and the dashboard are served. */

import * as v from "valibot";
import { ADDRESS_EXPECTED, parseAddress, parseWebOrigin, WEB_ORIGIN_EXPECTED } from "../values.ts";
import { filePath, nonEmpty, parsed } from "./fields.ts";
import { ADDRESS_PATTERN, WEB_ORIGIN_PATTERN } from "./patterns.ts";

const ADMIN_EXPECTED = "false, or a mapping such as { address: 127.0.0.1:9090 }";

/** Off by default. */
export const adminSchema = v.pipe(
  v.union([
    v.literal(false),
    v.strictObject({
      address: parsed(
        (text) => parseAddress(text, 0),
        ADDRESS_EXPECTED,
        "Where to serve the admin API: host:port; port 0 is any free one.",
        { pattern: ADDRESS_PATTERN },
      ),
      token_file: v.exactOptional(filePath(
        "File with the token for requests that change something; required unless the address is a loopback one.",
      )),
      origins: v.exactOptional(nonEmpty(
        parsed(parseWebOrigin, WEB_ORIGIN_EXPECTED, "Scheme, host and port, as browsers send them.", {
          pattern: WEB_ORIGIN_PATTERN,
        }),
        {
          expected: "a list of origins",
          least: "at least one origin, or no field origins for none",
          description: "Origins at which a proxy in front of it serves the dashboard.",
        },
      )),
    }, ADMIN_EXPECTED),
  ], ADMIN_EXPECTED),
  v.description("Where the admin API, the metrics and the dashboard are served; default off."),
);
