/** The message for each wrong value of a flag. */

import { connectAddress, local } from "../../lib/cli/values.ts";
import { assertEquals } from "../assert.ts";
import { run } from "./command.ts";

const LISTEN = "is not an address, such as 0.0.0.0:8888, [::1]:9000 or :8888";
const CONNECT = "is not an address, such as 127.0.0.1:8888";
const ADMIN = "is not an address, such as 127.0.0.1:9090";
const TIME = "is not a time above 0 with its unit, such as 250ms, 5s or 1m";
const COUNT = "is not a whole number, 0 to 4294967295";
const ROUTE = "is not ID=HOST:PORT, such as 1=n1.example.com:7777";

/** A command line, and its message without the flag's name. */
const WRONG: readonly (readonly [line: string, message: string])[] = [
  ["top --interval 0", `"0" ${TIME}`],
  ["top --interval -1s", `"-1s" ${TIME}`],
  ["top --interval 5", `"5" ${TIME}`],
  ["bench --id 1 --duration 0s", `"0s" ${TIME}`],
  ["health --timeout 3", `"3" ${TIME}`],
  ["top --admin nowhere", `"nowhere" ${ADMIN}; did you mean nowhere:9090?`],
  ["top --admin https://127.0.0.1:9090", `"https://127.0.0.1:9090" ${ADMIN}`],
  ["serve --route 1=n1:7 --listen 8888", `"8888" ${LISTEN}; did you mean :8888?`],
  ["serve --route 1=n1:7 --listen localhost", `"localhost" ${LISTEN}; did you mean localhost:8888?`],
  ["serve --route 1=n1:7 --listen ::1:9", `"::1:9" ${LISTEN}; write an IPv6 address in brackets: [::1]:9000`],
  ["serve --route 1=n1:7 --listen 127.0.0.1:70000", `"127.0.0.1:70000" ${LISTEN}; a port is 1 to 65535`],
  ["serve --route 1=n1:7 --listen 127.0.0.1:-1", `"127.0.0.1:-1" ${LISTEN}; a port is 1 to 65535`],
  [
    "serve --route 1=n1:7 --admin yes",
    `"yes" ${LISTEN.replace("not", "not off or")}; did you mean yes:8888?`,
  ],
  ["serve --route 1", `"1" ${ROUTE}`],
  ["serve --route =n1:7", `"=n1:7" ${ROUTE}`],
  ["serve --route 1=n1:99999", `"1=n1:99999" ${ROUTE}`],
  ["serve --route 1=n1:7 --default n1", '"n1" is not HOST:PORT, such as n1.example.com:7777'],
  [
    "serve --route 1=n1:7 --log-level warn",
    '"warn" is not one of debug, info, warning, error; did you mean warning?',
  ],
  ["serve --route 1=n1:7 --log-format jsno", '"jsno" is not one of text, json; did you mean json?'],
  ["serve --route 1=n1:7 --workers -1", '"-1" is not a number of threads, 1 to 256, or auto'],
  ["upstream --listen :", `":" ${LISTEN}`],
  ["client --id 1 --connect 127.0.0.1", `"127.0.0.1" ${CONNECT}; did you mean 127.0.0.1:8888?`],
  ["client --id 1 --connect 127.0.0.1:0", `"127.0.0.1:0" ${CONNECT}; a port is 1 to 65535`],
  ["client --id 1 --count -5", `"-5" ${COUNT}`],
  ["client --id 1 --count 1.5", `"1.5" ${COUNT}`],
  ["client --id 1 --seed 99999999999", `"99999999999" ${COUNT}`],
];

for (const [line, message] of WRONG) {
  Deno.test(`switchyard ${line} is refused with the value and what is expected`, async () => {
    const flag = /(--[a-z-]+) \S+$/.exec(line)?.[1];
    assertEquals(await run(...line.split(" ")), {
      status: 2,
      out: [],
      err: [`switchyard: ${flag}: ${message}`],
    });
  });
}

Deno.test("the address of a listener on every address is connected to on this machine", () => {
  assertEquals(connectAddress("--connect", "0.0.0.0:8888", []), { host: "127.0.0.1", port: 8888 });
  assertEquals(connectAddress("--connect", ":8888", []), { host: "127.0.0.1", port: 8888 });
  assertEquals(local({ host: "::", port: 1 }), { host: "::1", port: 1 });
  assertEquals(local({ host: "n1", port: 1 }), { host: "n1", port: 1 });
});
