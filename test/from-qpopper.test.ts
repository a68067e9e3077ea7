import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync(new URL('../docs/guide/from-qpopper.md', import.meta.url), 'utf8');
/** What stands in the first column of its tables. */
const rows = Array.from(page.matchAll(/^\| (`[^|]+|[A-Z][^|]+) \|/gm), ([, cell = '']) => cell).join('\n');

// What is known of the classic popper, section 1.17: qpopper 4.1's switches and settings.
const switches = 'b c C d D e f k K l p R s S t T u U v V x y'.split(' ');
const settings =
  `announce-expire announce-login-delay auth-file nonauth-file auto-delete bulldir bulldb-max-tries bulldb-nonfatal
  group-bulletins max-bulletins cache-dir cache-name check-hash-dir check-old-spool-loc check-password-expired chunky-writes
  clear-text-password config-file debug tracefile downcase-user trim-domain drac-host fast-update server-mode group-server-mode
  group-no-server-mode hash-spool home-dir-mail spool-dir temp-dir temp-name keep-temp-drop kerberos kerberos-service log-facility
  log-login mail-command mail-lock-check no-atomic-open old-style-uid reverse-lookup shy spool-options user-options statistics
  timeout timing tls-support tls-version tls-cipher-list tls-identity-file tls-passphrase tls-private-key-file
  tls-server-cert-file tls-workarounds tls-options update-on-abort update-status-headers`.split(/\s+/);

for (const letter of switches) {
  test(`who used qpopper's -${letter} learns what it is here`, () => {
    assert.match(rows, new RegExp(`\`-${letter}\\b`));
  });
}

for (const setting of settings) {
  test(`who had set ${setting} for qpopper learns what it is here`, () => {
    assert.ok(rows.includes(`\`${setting}\``), setting);
  });
}
