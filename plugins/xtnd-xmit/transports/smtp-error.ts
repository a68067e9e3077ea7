/** nodemailer's error as an operator is to read it: with what to do, and without what a server may have said back of a login. */
export function loggable(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EAUTH' || code === 'EOAUTH2') {
    const answer = 'responseCode' in error ? `, answer ${String(error.responseCode)}` : '';
    return new Error(`the server refused the login (${code}${answer})`);
  }
  const reason = 'originalCode' in error ? String(error.originalCode) : code;
  if (reason === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return new Error(`${error.message}; set transport.host to a name that is in the certificate`);
  if (!unknownSigner.test(reason)) return new Error(error.message);
  // What Node advises behind it is for whoever starts Node.
  const [why] = error.message.split(';', 1);
  return new Error(
    `the server's certificate is not believed: ${why}; set transport.ca to the PEM file of the authority that has signed it, or of the certificate itself where that is nobody else`,
  );
}

const unknownSigner = /SELF_SIGNED_CERT|^UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)/;
