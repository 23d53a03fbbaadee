import fc from "fast-check";
import * as values from "../../lib/config/values.ts";
import { assertEquals } from "../assert.ts";

const durations: readonly [text: string, milliseconds: number | undefined][] = [
  ["0", 0],
  ["250ms", 250],
  ["5s", 5000],
  ["1.5s", 1500],
  ["10m", 600_000],
  ["1h", 3_600_000],
  ["596h", 2_145_600_000],
  ["597h", undefined],
  ["5", undefined],
  ["5 s", undefined],
  ["-5s", undefined],
  ["5S", undefined],
  ["1d", undefined],
  ["s", undefined],
  ["", undefined],
  ["5constructor", undefined],
];
for (const [text, milliseconds] of durations) {
  Deno.test(`the duration "${text}" is ${milliseconds ?? "refused"}`, () => {
    assertEquals(values.parseDuration(text), milliseconds);
  });
}

for (const text of ["0", "65536", "http", "", "080", "+80", "8e1", "99999999999"]) {
  Deno.test(`the port "${text}" is refused`, () => assertEquals(values.parsePort(text), undefined));
}

const addresses: readonly [text: string, host: string, port: number][] = [
  ["0.0.0.0:8888", "0.0.0.0", 8888],
  [":8888", "0.0.0.0", 8888],
  ["[::1]:9000", "::1", 9000],
  ["[::]:9000", "::", 9000],
  ["[fe80::1%eth0]:9000", "fe80::1%eth0", 9000],
  ["localhost:1", "localhost", 1],
  ["n1.example.com:65535", "n1.example.com", 65535],
];
for (const [text, host, port] of addresses) {
  Deno.test(`the address ${text} is host ${host}, port ${port}`, () => {
    assertEquals(values.parseAddress(text), { host, port });
  });
}

for (
  const text of [
    "8888",
    "",
    ":",
    "host",
    "host:",
    "host:0",
    "host:65536",
    "::1:9000",
    "[::1]",
    "[]:1",
    "[host]:1",
  ]
    .concat([
      "http://host:1",
      "a b:1",
      "host:1/",
      "256.0.0.1:1",
      "1.2.3:1",
      "host:http",
      "[1.2.3.4]:1",
      "[[::1]]:1",
    ])
) {
  Deno.test(`the address "${text}" is refused`, () => assertEquals(values.parseAddress(text), undefined));
}

for (const text of ["10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32", "::1", "::ffff:10.0.0.0/104"]) {
  Deno.test(`${text} is a network`, () => assertEquals(values.parseCidr(text), text));
}

for (
  const text of [
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/",
    "10/8",
    "010.0.0.1",
    "::/129",
    "fe80::1%eth0",
    "[::1]",
    "all",
    "",
  ]
) {
  Deno.test(`the network "${text}" is refused`, () => assertEquals(values.parseCidr(text), undefined));
}

for (
  const [file, path, meant] of [
    ["routes.yaml", "cert.pem", "cert.pem"],
    ["/etc/switchyard/routes.yaml", "tls/cert.pem", "/etc/switchyard/tls/cert.pem"],
    ["conf/routes.yaml", "/etc/cert.pem", "/etc/cert.pem"],
    ["C:\\conf\\routes.yaml", "cert.pem", "C:\\conf\\cert.pem"],
  ] as const
) {
  Deno.test(`${path} in ${file} means ${meant}`, () => assertEquals(values.pathBeside(file, path), meant));
}

Deno.test("port 0 is accepted if the caller permits it", () => {
  assertEquals(values.parseAddress(":0", 0), { host: "0.0.0.0", port: 0 });
});

Deno.test("an upstream needs a host", () => assertEquals(values.parseUpstream(":8888"), undefined));

for (
  const host of [
    "a",
    "n1.example.com",
    "n1.example.com.",
    "my_service",
    "xn--bcher-kva.example",
    "10.0.0.1",
    "::1",
  ]
    .concat(["::", "2001:db8::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "1::"])
) {
  Deno.test(`the host ${host} is used as written`, () => assertEquals(values.parseHost(host), host));
}

for (
  const host of [
    "",
    ".",
    "a..b",
    "-a",
    "a-",
    "a b",
    "a/b",
    "a:1",
    "[::1]",
    "bücher.example",
    "1",
    "1.2.3",
    "256.1.1.1",
  ]
    .concat([
      "01.2.3.4",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7:8:9",
      "12345::",
      "a".repeat(64),
      "a.".repeat(127) + "a",
    ])
) {
  Deno.test(`the host "${host.slice(0, 20)}" is refused`, () =>
    assertEquals(values.parseHost(host), undefined));
}

Deno.test("the length of an ID is counted in bytes of UTF-8", () => {
  assertEquals(values.idExpected("é".repeat(127) + "a", 255), undefined);
  assertEquals(typeof values.idExpected("é".repeat(128), 255), "string");
});

for (
  const [name, id] of [["empty", ""], ["a C0 control", "a\n"], ["DEL", "\x7f"], ["a C1 control", "\x85"], [
    "half a surrogate pair",
    "\ud800",
  ]] as const
) {
  Deno.test(`an ID that is or holds ${name} is refused`, () => {
    assertEquals(typeof values.idExpected(id, 255), "string");
  });
}

Deno.test("the last = of a route on the command line ends the ID", () => {
  assertEquals(values.parseRoute("a=b=[::1]:80"), { id: "a=b", host: "::1", port: 80 });
});

for (const text of ["", "a", "=h:1", "a=", "a=h", "a=:1", "a=h:0", "h:1"]) {
  Deno.test(`the route "${text}" is refused`, () => assertEquals(values.parseRoute(text), undefined));
}

Deno.test("every IPv4 address and port is the same after writing and reading", () => {
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65535 }), (host, port) => {
    assertEquals(values.parseUpstream(`${host}:${port}`), { host, port });
  }));
});

Deno.test("every IPv6 address and port is the same after writing and reading", () => {
  fc.assert(fc.property(fc.ipV6(), fc.integer({ min: 1, max: 65535 }), (host, port) => {
    assertEquals(values.parseUpstream(`[${host}]:${port}`), { host, port });
  }));
});

for (
  const [text, origin] of [
    ["https://App.Example.com", "https://app.example.com"],
    ["https://app.example.com:443", "https://app.example.com"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    ["https://[2001:db8::1]", "https://[2001:db8::1]"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["null", "null"],
    ["https://a/", undefined],
    ["https://", undefined],
    ["https://a b", undefined],
    ["https://user@a", undefined],
    ["app.example.com", undefined],
    ["https://a:99999", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`as an origin, ${JSON.stringify(text)} is ${origin}`, () =>
    assertEquals(values.parseOrigin(text), origin));
}

for (
  const [text, path] of [["/", "/"], ["/a/%20b", "/a/%20b"], ["", undefined], ["a", undefined], [
    "/a#b",
    undefined,
  ], ["/é", undefined]] as const
) {
  Deno.test(`as a path, ${JSON.stringify(text)} is ${path}`, () =>
    assertEquals(values.parsePath(text), path));
}
