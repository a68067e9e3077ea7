import assert from 'node:assert/strict';
import { test } from 'node:test';

import { loggable } from './smtp-error.ts';

const nodeAdvice = '; if the root CA is installed locally, try running Node.js with --use-system-ca';

/** As nodemailer makes one. */
const errorOf = (message: string, fields: object): Error => Object.assign(new Error(message), fields);

for (const [originalCode, text] of [
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unable to get local issuer certificate'],
] as const) {
  test(`an operator whose server has a certificate of its own making is told of transport.ca (${originalCode})`, () => {
    const { message } = loggable(errorOf(`${text}${nodeAdvice}`, { code: 'ESOCKET', originalCode }));
    assert.equal(
      message,
      `the server's certificate is not believed: ${text}; set transport.ca to the PEM file of the authority that has signed it, or of the certificate itself where that is nobody else`,
    );
  });
}

test('one whose server has another name in its certificate is told of transport.host', () => {
  const { message } = loggable(
    errorOf("Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: ", {
      code: 'ESOCKET',
      originalCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
    }),
  );
  assert.match(message, /^Hostname\/IP does not match .* list: ; set transport\.host to a name that /);
});

test('what else goes wrong is said as it came, and what a server says to a login is not', () => {
  assert.equal(
    loggable(errorOf('connect ECONNREFUSED', { code: 'ESOCKET' })).message,
    'connect ECONNREFUSED',
  );
  assert.equal(loggable('gone').message, 'gone');
  const { message } = loggable(errorOf('535 hunter2 is wrong', { code: 'EAUTH', responseCode: 535 }));
  assert.equal(message, 'the server refused the login (EAUTH, answer 535)');
});
