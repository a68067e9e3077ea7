import assert from 'node:assert/strict';
import { test } from 'node:test';

import { argon2Decoy } from './argon2.ts';
import { hashPassword } from './set-password.ts';
import { costClassOf, parseStoredPassword, type StoredPassword } from './stored-password.ts';
import { verify } from './verify.ts';

const password = Buffer.from('tanstaaf');

/** Hashes of one password, made by doveadm pw, htpasswd, openssl passwd and crypt(3). */
const vectors: readonly (readonly [maker: string, field: string])[] = [
  [
    'doveadm',
    '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$l8oiufa2ajzghAD0wKvJPg$SfrHUVFMEI/CyqOXeb+ht88lIiJpa38pmYy5pWSBPZA',
  ],
  [
    'doveadm',
    '{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$sfZJG6ab2oPyv2pWQ1xe8g$6r4jxSPsGBLdjlcGDuxxGOFqORRyqnOyOoSU5hSIIh0',
  ],
  ['doveadm', '{BLF-CRYPT}$2y$05$5cmZkyg.FPoqa8s8yVTNFO83ehnHvOxOgC21PSn6YWgfLkLCSEAza'],
  [
    'doveadm',
    '{SHA512-CRYPT}$6$dvbjgn1kEldnN5DZ$H7wP1MywRYcQmGwdns4xytorPsYNJn6SPwO0OJv/52UPBMt4c/AFNFbHIlgH5wzBzPm1j52vpN811C9TgsIiZ0',
  ],
  ['doveadm', '{SHA256-CRYPT}$5$7yx9XukO1zeEqNUC$IdR06NiTkDK6nBYcjuTuiEKcaKl1g5IiT72iEtlaGr/'],
  ['doveadm', '{MD5-CRYPT}$1$bQwmERh1$h.mBzmpy/mrSK9r3UWJmL/'],
  ['doveadm', '{CRYPT}$2y$05$.IjWLLi.Pw8QHEB3Te6DbeCCzS7fHs0LvzxsUHzN9A8mBjlkVYQaq'],
  ['doveadm', '{DES-CRYPT}vIBw4e9Z1FKQ6'],
  ['doveadm', '{SSHA}G08vcQP8wh3ZpEcrsqVSff1Q6mHy3gRr'],
  ['doveadm', '{SSHA256}VbPbDNjyyvjTbcOP1GwskE5YYh8qNAHI1bldWAmlGNWX49I0'],
  [
    'doveadm',
    '{SSHA512}IwJy+av6aYapCNZMSBDKR0AyL5oqgPsTwUedf0LPTheSo7InOxcjDM2JVX2FgADpAqHEIoA3EHvDmcLYdKM5PwKMTxA=',
  ],
  ['doveadm', '{SHA256}2OZJiX4f3IEocTIetqYiu1a2GovhuIBYRxZR+uXBLKo='],
  [
    'doveadm',
    '{SHA512}7k4B2Jp+VfRq9eIRUB9fGp9ZeNyZPWiiDRYSh7oJALW7dmzxjah/z/nf+cj/MOzDknLTjla4zoq4EfWvmjU7oA==',
  ],
  ['doveadm', '{PLAIN}tanstaaf'],
  ['doveadm', '{SSHA256.HEX}61f18860489635305ae799c41c73f00b10636f32864871dc2f1dec398d15cd80e2b1e2c1'],
  ['doveadm', '{PLAIN.B64}dGFuc3RhYWY='],
  ['doveadm', '{SHA.HEX}eb47179f833ef6b9643e2225d4233c9a38c52981'],
  [
    'doveadm',
    '{SHA512-CRYPT.B64}JDYkSG05a2EwN1pzOXI4UFYxSCR0cWFoQjFFaVBpWk1lSkgzcU1UVlc0bDk4VTI3SEJZeE1SQ0NFWHZ3WVh4WnhaT1oyeDZldWxMb244N1Z0WDlrV0k2bWVTLnZsVnFkaTcuN0EyUTFnMA==',
  ],
  ['htpasswd -B', '$2y$05$4YOHtJac2wDLI/nOQDaykuVo8uam91ak3ec02in20SkB/fvrUThdi'],
  ['htpasswd -s', '{SHA}60cXn4M+9rlkPiIl1CM8mjjFKYE='],
  [
    'htpasswd -5',
    '$6$L.oFqhjfuwtITyWk$i5s7mlGumcHKgLS8AL4fC4XmKA6pO/0zcYwuWNQNgcXSX/cq59CzpTRE//b2yTntpERgngRl.CmZ1750QUIcH0',
  ],
  [
    'openssl -6',
    '$6$saltsalt$JfDkfKepJJ8OUWRByLbPk38gXHsXisVEzfbhJNOdQONUSHJpsMS04wE7S46k63uzhSh1G0j2QJ1gqfWqZChQE.',
  ],
  ['openssl -1', '$1$saltsalt$roN2lUfEbZqZad1NpG.Zy1'],
  ['crypt(3)', '$y$j9T$F5Jx5fExrKuPp53xLKQ..1$rRF.D9G8EheNrIkcOH0ViLc7/EArSDCi/nFGFUZtoF9'],
  ['crypt(3)', '$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$doRQ2WT.rv38/FEvftPWXS06Rc7x..UZaV4/v/R1uS1'],
  ['crypt(3)', '$7$6/..../....saltsalt$Mdzvq9yKNmr6Kg9hfQ9fdOFBGawvxEfWJOC0BY4xXT8'],
  ['crypt(3)', '$2b$04$abcdefghijklmnopqrstuumJUK7dJmoK7yMfXBMkeTJL1Y.du7qIG'],
  ['crypt(3)', '$5$rounds=1000$saltsalt$6.DR746dTJZQKwz6NbDAQYNJizbCTkZK/PnRzSvvbb.'],
];

function parsed(field: string): StoredPassword {
  const stored = parseStoredPassword(field);
  assert(typeof stored !== 'string', field);
  return stored;
}

test('every kind of hash that Dovecot, Apache and crypt(3) write lets in its password and no other', async () => {
  for (const [maker, field] of vectors) {
    const stored = parsed(field);
    assert.equal(await verify(stored, password), true, `${maker} ${field}`);
    assert.equal(await verify(stored, Buffer.from('tanstaag')), false, `${maker} ${field}`);
    assert.equal(await verify(stored, Buffer.from('')), false, `${maker} ${field}`);
  }
});

test('a client that puts a NUL after the right password is not let in by a C library that stops there', async () => {
  for (const [, field] of vectors)
    assert.equal(await verify(parsed(field), Buffer.from('tanstaaf\0x')), false, field);
});

test('a locked user is let in by no password, not even by what stands behind the lock', async () => {
  for (const field of ['!', '*', '!{PLAIN}tanstaaf', '*LK*']) {
    const stored = parsed(field);
    for (const guess of ['tanstaaf', '', '!', field])
      assert.equal(await verify(stored, Buffer.from(guess)), false);
  }
});

test('a password in another alphabet matches octet by octet', async () => {
  const octets = Buffer.from('пароль', 'utf8');
  const stored = parsed(`{PLAIN}${octets.toString('latin1')}`);
  assert.equal(await verify(stored, octets), true);
});

test('a new hash has a salt of its own, names its cost, and lets the password in', async () => {
  const [one, other] = [await hashPassword(password), await hashPassword(password)];
  assert.notEqual(one, other);
  assert.match(one, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await verify(parsed(one), password), true);
  assert.equal(costClassOf(parsed(one)), costClassOf(argon2Decoy()));
});

test('nobody can be given a password that is empty or that no client can send', async () => {
  for (const bad of ['', 'a\nb', 'a\rb', 'a\0b', 'x'.repeat(512)]) {
    await assert.rejects(hashPassword(Buffer.from(bad)), TypeError);
  }
});

const secret = 'Hunter2';
const brokenFields: readonly (readonly [field: string, says: RegExp])[] = [
  ['', /empty/],
  [secret, /no scheme/],
  ['{PLAIN}', /empty/],
  [`{ROT13}${secret}`, /\{ROT13\} is not known/],
  [`$apr1$${secret}$WG4fj2pY5hGCVT2662/g30`, /htpasswd -B/],
  [`{SHA512-CRYPT}$5$${secret}$IdR06NiTkDK6nBYcjuTuiEKcaKl1g5IiT72iEtlaGr/`, /another scheme/],
  [`{ARGON2ID}$argon2i$v=19$m=32768,t=4,p=1$${secret}$6r4jxSPs`, /another scheme/],
  [`{ARGON2ID}$argon2id$v=16$m=32768,t=4,p=1$${secret}$6r4jxSPs`, /not of the form/],
  [`$argon2id$v=19$m=32768,t=4,p=1$${secret}$6r4jxSPs`, /cut short/],
  [
    `$argon2id$v=19$m=9999999,t=4,p=1$${secret}xxxxx$6r4jxSPsGBLdjlcGDuxxGOFqORRyqnOyOoSU5hSIIh0`,
    /costs more/,
  ],
  [`$argon2id$v=19$m=8,t=0,p=2$${secret}xxxxx$6r4jxSPsGBLdjlcGDuxxGOFqORRyqnOyOoSU5hSIIh0`, /too low/],
  [`$2y$31$${secret.repeat(8).slice(0, 53)}`, /above 16/],
  [`$6$rounds=999999999$${secret}$${'x'.repeat(86)}`, /above 5000000/],
  [`$6$${secret}$short`, /cut short/],
  [`{CRYPT}${secret}`, /cut short/],
  [`{SSHA}${secret}`, /octets/],
  [`{SSHA}${secret}=====`, /not written/],
  [`{SHA.HEX}${secret}`, /not written/],
  [`{SHA.ROT13}${secret}`, /not written/],
];

test('an operator is told what is wrong with a hash, and the log does not learn it', () => {
  for (const [field, says] of brokenFields) {
    const reason = parseStoredPassword(field);
    assert(typeof reason === 'string', field);
    assert.match(reason, says, field);
    assert.doesNotMatch(reason, new RegExp(secret), field);
  }
});

test('other sessions go on while passwords are hashed', async () => {
  const stored = parsed('$2b$10$abcdefghijklmnopqrstuumJUK7dJmoK7yMfXBMkeTJL1Y.du7qIG');
  let turns = 0;
  const others = setInterval(() => turns++, 1);
  await verify(stored, password);
  await verify(argon2Decoy(), password);
  clearInterval(others);
  assert(turns > 1, `other work had ${turns} turns`);
});
