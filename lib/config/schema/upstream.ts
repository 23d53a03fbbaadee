/** A server to dial: the fields that routes and the default share. */

import * as v from "valibot";
import { filePath, host, integer } from "./fields.ts";

const TLS_EXPECTED = "true, false or a mapping such as { ca: ca.pem, server_name: n1.example.com }";

const tls = v.pipe(
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

/** Fields of an upstream. */
export const upstreamEntries = {
  host: host("Host name or IP address of the server."),
  port: integer("a port, 1 to 65535", "TCP port of the server."),
  tls: v.exactOptional(tls),
};

/** `default`: the upstream of IDs that no route matches. */
export const defaultSchema = v.pipe(
  v.strictObject(upstreamEntries, "a mapping such as { host: n1.example.com, port: 7777 }"),
  v.description("Upstream of IDs that no route matches; without it they get UNKNOWN_ID."),
);
