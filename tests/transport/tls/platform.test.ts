import { requireTls } from "../../../lib/transport/tls/platform.ts";
import { assertThrows } from "../../assert.ts";

Deno.test("TLS is permitted from Deno 2.9.6 on", () => {
  for (const version of ["2.9.6", "2.9.7-rc.1", "2.10.0", "3.0.0+abc"]) requireTls(version);
});

Deno.test("the error for older versions names them, with advice", () => {
  for (const version of ["2.4.2", "2.9.5", "1.46.3"]) {
    assertThrows(
      () => requireTls(version),
      Error,
      `TLS needs Deno 2.9.6 or later, and this program runs on Deno ${version}: use an executable`,
    );
  }
});
