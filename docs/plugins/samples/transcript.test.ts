import { test } from 'node:test';

import { transcript } from 'popperd/testing';

import usage from '../sample/index.ts';

test('X-USAGE is announced, and needs a login', () =>
  transcript(
    `
Message: 120 octets

S: +OK <any>
C: X-USAGE
S: -ERR <any>
C: USER mrose
C: PASS secret
S: +OK send PASS
S: +OK <any>
C: X-USAGE
S: +OK 120 of 1000 octets
C: QUIT
S: +OK bye
`,
    [usage({ limitOctets: 1000 })],
  ));
