/** Advice for failed TLS handshakes, by the platform's message. */

const ADVICE: readonly (readonly [message: RegExp, advice: string])[] = [
  [/self.signed/i, "the certificate is not trusted: add it to ca (--ca)"],
  [
    // the platform reports the same for an expired certificate of a trusted issuer
    /unable to (?:get|verify)|UnknownIssuer|unknown issuer/i,
    "its issuer is not trusted, or it has expired: add the issuer's certificate to ca (--ca), or renew it",
  ],
  [
    /does not match certificate's altnames|NotValidForName/i,
    "the certificate is for another name: connect by that name, or set server_name",
  ],
  [/expired/i, "renew the certificate, or correct the clock of this machine"],
  [/not yet valid|NotValidYet/i, "wait, or correct the clock of this machine"],
  [/CaUsedAsEndEntity/i, "the certificate is marked as an authority (CA:TRUE): issue one with CA:FALSE"],
  [
    /wrong version number|InvalidContentType/i,
    "the other side does not speak TLS: check the port, or connect without TLS",
  ],
  [
    /alert:? ?(?:unknown ?ca|bad ?certificate|certificate ?unknown)/i,
    "the other side does not trust the certificate: let it trust the issuer, or use one of an issuer that it trusts",
  ],
  [/certificate ?required/i, "the other side demands a certificate: set cert and key (--cert, --key)"],
  [/sent no certificates/i, "the client has to present a certificate of an issuer in client_ca"],
];

/** `message`, followed by advice if there is any. */
export function withAdvice(message: string): string {
  const [, advice] = ADVICE.find(([pattern]) => pattern.test(message)) ?? [];
  return advice === undefined ? message : `${message}; ${advice}`;
}
