/** `listeners`: where connections are accepted. */

import * as v from "valibot";
import {
  ADDRESS_EXPECTED,
  ORIGIN_EXPECTED,
  parseAddress,
  parseOrigin,
  parsePath,
  PATH_EXPECTED,
} from "../values.ts";
import { choice, filePath, networks, nonEmpty, parsed } from "./fields.ts";
import { ADDRESS_PATTERN, ORIGIN_PATTERN, PATH_PATTERN } from "./patterns.ts";

const DEFAULT_ADDRESS = "0.0.0.0:8888";

const proxyProtocol = v.pipe(
  v.strictObject({
    trusted: networks(
      "Proxies, which must name the client in a PROXY header; a header from any other peer is refused.",
      "at least one entry",
    ),
  }, "a mapping such as { trusted: [10.0.0.0/8] }"),
  v.description("Accept the PROXY protocol, versions 1 and 2, from trusted proxies."),
);

const certificateEntries = {
  cert: filePath("Certificate in PEM, followed by its intermediate certificates."),
  key: filePath("Private key in PEM, without a passphrase."),
};

const CERTIFICATE_EXPECTED = "a mapping such as { cert: cert.pem, key: key.pem }";

const tls = v.pipe(
  v.strictObject({
    ...certificateEntries,
    certificates: v.exactOptional(v.pipe(
      v.array(v.strictObject(certificateEntries, CERTIFICATE_EXPECTED), "a list of certificates"),
      v.description("Certificates for other names, selected by the server name (SNI) that the client sends."),
    )),
    client_ca: v.exactOptional(filePath("CA certificates that must have issued those of clients, in PEM.")),
    client_cert: v.exactOptional(choice(
      ["required", "optional"],
      "Whether a client must have a certificate; default required. Only with client_ca.",
    )),
  }, CERTIFICATE_EXPECTED),
  v.description("Accept TLS, and nothing else, on this listener."),
);

/** An empty list would refuse everybody. */
const origins = nonEmpty(
  parsed(parseOrigin, ORIGIN_EXPECTED, "Scheme, host and port of a page, as browsers send them.", {
    pattern: ORIGIN_PATTERN,
  }),
  {
    expected: "a list of origins",
    least: "at least one origin, or no field origins for any",
    description: "Pages that may connect; default any. Non-browser clients send no Origin and are accepted.",
  },
);

const WEBSOCKET_EXPECTED = "false, or a mapping such as { path: /, origins: [https://app.example.com] }";

const websocket = v.pipe(
  v.union([
    v.literal(false),
    v.strictObject({
      path: v.exactOptional(
        parsed(parsePath, PATH_EXPECTED, "The only path that is served; default any.", {
          pattern: PATH_PATTERN,
        }),
      ),
      origins: v.exactOptional(origins),
    }, WEBSOCKET_EXPECTED),
  ], WEBSOCKET_EXPECTED),
  v.description("Which WebSockets are accepted beside raw frames; false for none, default all."),
);

const listener = v.strictObject({
  address: parsed(
    (text) => parseAddress(text, 0),
    ADDRESS_EXPECTED,
    "Where to accept connections: host:port, [::1]:9000 or :8888; port 0 is any free one.",
    { pattern: ADDRESS_PATTERN },
  ),
  websocket: v.exactOptional(websocket),
  tls: v.exactOptional(tls),
  proxy_protocol: v.exactOptional(proxyProtocol),
}, `a mapping such as { address: ${DEFAULT_ADDRESS} }`);

/** Every listener. */
export const listenersSchema = v.optional(
  nonEmpty(listener, {
    expected: "a list of listeners",
    least: `at least one listener, or no field listeners for ${DEFAULT_ADDRESS}`,
    description: "Where connections are accepted.",
  }),
  [{ address: DEFAULT_ADDRESS }],
);
