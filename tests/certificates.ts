/** Certificates made by openssl. */

/** Whether openssl can be run. */
export const hasOpenssl = await (async () => {
  try {
    return (await openssl("version")).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** A test with certificates. It is ignored if openssl, which makes them, is missing. */
export function tlsTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasOpenssl, fn });
}

/** Runs openssl to its end; `s_client` ends after the handshake, since there is nothing to send. */
export function openssl(...args: string[]) {
  return opensslSending(new Uint8Array(), ...args);
}

/** Runs openssl to its end, with `input` to read. */
export async function opensslSending(input: Uint8Array<ArrayBuffer>, ...args: string[]) {
  const options = { args, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command("openssl", options).spawn();
  const [{ success, stdout, stderr }] = await Promise.all([
    child.output(),
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}), // it may end without reading
  ]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, stdout: text(stdout), stderr: text(stderr) };
}

/** A folder with `cert.pem` and `key.pem` for localhost and loopback. */
export class Certificate implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(name: string): Promise<Certificate> {
    const certificate = new Certificate(await Deno.makeTempDir());
    await certificate.renew(name);
    return certificate;
  }

  get files(): { cert: string; key: string } {
    return { cert: `${this.#folder}/cert.pem`, key: `${this.#folder}/key.pem` };
  }

  /** The certificate in PEM. */
  get pem(): string {
    return Deno.readTextFileSync(this.files.cert);
  }

  /** Puts another key and certificate of the subject `name` in place, by renaming as tools do. */
  async renew(name: string): Promise<void> {
    const { cert, key } = this.files;
    const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const { success, stderr } = await openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"],
      ...subject,
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", `${key}.new`, "-out", `${cert}.new`],
    );
    if (!success) throw new Error(stderr);
    await Deno.rename(`${key}.new`, key);
    await Deno.rename(`${cert}.new`, cert);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** How a certificate is issued. */
interface Issued {
  /** Host names of the certificate. @default ["localhost"] */
  readonly names?: readonly string[];
  /** @default "clientAuth,serverAuth" */
  readonly usage?: string;
  /** Whether it has expired. @default false */
  readonly expired?: boolean;
}

/** An authority that issues certificates, with its files in a folder of its own. */
export class Authority implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<Authority> {
    const folder = await Deno.makeTempDir();
    await run(
      ...["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", "/CN=authority"],
      ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"],
      ...["-keyout", `${folder}/ca-key.pem`, "-out", `${folder}/ca.pem`],
    );
    await Deno.writeTextFile(`${folder}/index.txt`, "");
    await Deno.writeTextFile(`${folder}/serial`, "01");
    return new Authority(folder);
  }

  /** File of the authority's own certificate. */
  get ca(): string {
    return `${this.#folder}/ca.pem`;
  }

  /** Files of a new certificate for the subject `O=Example, CN=name`. */
  async issue(name: string, { names = ["localhost"], usage = USAGE, expired }: Issued = {}) {
    const at = `${this.#folder}/${name}`;
    const alternatives = [...names.map((each) => `DNS:${each}`), "IP:127.0.0.1"].join(",");
    await Deno.writeTextFile(
      `${at}.cnf`,
      `[ca]
default_ca=all
[all]
database=${this.#folder}/index.txt
serial=${this.#folder}/serial
new_certs_dir=${this.#folder}
default_md=sha256
policy=any
unique_subject=no
x509_extensions=leaf
[any]
commonName=supplied
organizationName=optional
[leaf]
basicConstraints=critical,CA:FALSE
extendedKeyUsage=${usage}
subjectAltName=${alternatives}
`,
    );
    await run(
      "req",
      ...NEW_KEY,
      "-subj",
      `/O=Example/CN=${name}`,
      "-keyout",
      `${at}-key.pem`,
      "-out",
      `${at}.csr`,
    );
    const dates = expired ? ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"] : ["-days", "2"];
    await run(
      ...["ca", "-batch", "-notext", "-config", `${at}.cnf`, "-cert", this.ca, ...dates],
      ...["-keyfile", `${this.#folder}/ca-key.pem`, "-in", `${at}.csr`, "-out", `${at}.pem`],
    );
    return { cert: `${at}.pem`, key: `${at}-key.pem` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

const USAGE = "clientAuth,serverAuth";

async function run(...args: string[]): Promise<void> {
  const { success, stderr } = await openssl(...args);
  if (!success) throw new Error(stderr);
}
