/** A server to dial: the fields that routes, the default and the servers of pools share. */

import * as v from "valibot";
import { PORT_EXPECTED } from "../values.ts";
import { filePath, host, integer } from "./fields.ts";

const TLS_EXPECTED = "true, false or a mapping such as { ca: ca.pem, server_name: n1.example.com }";

/** `tls` of a server that is connected to. */
export const tlsSchema = v.pipe(
  v.union([
    v.boolean(),
    v.strictObject({
      ca: v.exactOptional(filePath("Certificates to trust, in PEM, besides those that Deno trusts.")),
      server_name: v.exactOptional(
        host("Name that the server's certificate must have, if it differs from host."),
      ),
      cert: v.exactOptional(filePath("Certificate to present to the server, in PEM. Only with key.")),
      key: v.exactOptional(filePath("Private key of cert, in PEM, without a passphrase.")),
    }, TLS_EXPECTED),
  ], TLS_EXPECTED),
  v.description("Whether and how to use TLS to the server."),
);

/** Fields of a server. */
export const upstreamEntries = {
  host: host("Host name or IP address of the server."),
  port: integer(PORT_EXPECTED, "TCP port of the server."),
  tls: v.exactOptional(tlsSchema),
};
