/** Certificates made by openssl, where it is installed. */

/** Whether openssl can be run. */
export const hasOpenssl = await (async () => {
  try {
    return (await openssl("version")).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** Runs openssl to its end; `s_client` ends after the handshake, since there is nothing to send. */
export async function openssl(...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args, stdin: "null" }).output();
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
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
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
