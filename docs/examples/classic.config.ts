// The classic popper, flag by flag: `popper -c classic.config.ts -s -b /var/spool/bulletins` as a daemon, started as root, or
// the same with --inetd in inetd.conf. It needs an account for the processes that strangers talk to:
// useradd --system --user-group --no-create-home --shell /usr/sbin/nologin popper
import authShadow from 'popper-plugin-auth-shadow';
import bulletins from 'popper-plugin-bulletins';
import last from 'popper-plugin-last';
import logSyslog from 'popper-plugin-log-syslog';
import peerCheck from 'popper-plugin-peer-check';
import statistics from 'popper-plugin-statistics';
import storeMbox from 'popper-plugin-store-mbox';
import trace from 'popper-plugin-trace';
import xtndXlist from 'popper-plugin-xtnd-xlist';
import xtndXmit from 'popper-plugin-xtnd-xmit';
import { defineConfig } from 'popperd';

export default defineConfig(({ flags }) => {
  const isDebugging = flags.debug || flags.trace !== undefined;
  return {
    // POP3's port; and POP2's, for the clients that go there. With --inetd it is inetd.conf that has both.
    listen: [{ port: 110 }, { port: 109 }],
    stateDir: '/var/lib/popper',
    // After the login a session is a process of the user's, as it always was.
    isolation: 'user',
    // The classic had no TLS. A password that crosses a network so can be read there: set tls, and 'never', as soon as clients can.
    cleartextLogin: 'always',
    // One wrong password ends the session.
    maxAuthFailures: 1,
    // -T SECONDS. RFC 1939 section 3 asks for the 600 that it is without.
    idleTimeoutMs: (flags.timeoutSeconds ?? 600) * 1000,
    // -d
    socketDebug: flags.debug,
    log: { level: isDebugging ? 'debug' : 'info' },
    replies: 'classic',
    logStyle: 'classic',
    // The classic removed what was marked when a connection broke, too, which costs mail; RFC 1939 section 6 forbids it.
    updateOnAbort: false,
    plugins: [
      // First, so that what the others say when they are started gets there. Facility local0; with -d, what it shows, too.
      logSyslog({ level: flags.debug ? 'debug' : 'info' }),
      // -k is for a plugin that knows Kerberos: popper says so where none is here.
      authShadow(),
      storeMbox({
        spool: '/var/mail/{user}',
        // A session is served from a copy.
        temporaryMaildrop: true,
        // `Status: RO` says which messages were read, for LAST as well.
        updateStatus: true,
        // What the classic popper itself left when it was killed: stop it for good before.
        takeOverTemporaryDrop: true,
      }),
      // -b FOLDER. Which bulletin a user had last stands in ~/.popbull.
      flags.bulletins !== undefined && bulletins({ folder: flags.bulletins, counters: 'home' }),
      last({ meaning: 'read' }),
      xtndXlist(),
      xtndXmit({ transport: { kind: 'sendmail' } }),
      // Clients whose names and addresses do not agree are told of; they are served all the same.
      peerCheck(),
      // -s
      flags.statistics && statistics(),
      // -t FILE; and `popper trace USER`, which needs none. The file has to be one that the account popper can write: `install -o popper
      // -m 600 /dev/null FILE`. It has each session up to the login's answer; the rest, which a process of the user's serves, is in the log at
      // debug: on standard error, and with -d in syslog. Under inetd, which leaves no standard error, -t wants -d.
      trace({ file: flags.trace }),
    ],
  };
});
