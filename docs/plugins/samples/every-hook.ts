import { definePlugin, denied, err, Failure, granted } from 'popperd';
import { z } from 'zod';

import { lettersOf } from './letters.ts';

/** Taps every hook once: the samples of docs/plugins/hooks.md, run by test/docs.test.ts. */
export default definePlugin({
  name: 'every-hook',
  options: z.strictObject({ seen: z.custom<Set<string>>((value) => value instanceof Set) }),

  apply(popper, { seen }) {
    const letters = lettersOf(popper.state);

    // #region start
    popper.hooks.start.tapPromise('every-hook', async (role) => {
      seen.add('start');
      if (role !== 'cli') await letters.prepare();
    });
    // #endregion

    // #region listening
    popper.hooks.listening.tapPromise('every-hook', async (addresses) => {
      seen.add('listening');
      popper.log.info('clients can come', { addresses });
    });
    // #endregion

    // #region stop
    popper.hooks.stop.tapPromise('every-hook', async () => {
      seen.add('stop');
      await letters.finish();
    });
    // #endregion

    // #region check
    popper.hooks.check.tapPromise('every-hook', async (checkup) => {
      seen.add('check');
      if (await letters.reachable()) checkup.fine('the letters are there');
      else checkup.problem('the letters cannot be reached', 'see whether their folder is mounted');
      if (checkup.isolation === 'user') checkup.problem('users cannot share letters', 'take every-hook out');
    });
    // #endregion

    // #region recover
    popper.hooks.recover.tapPromise('every-hook', async (uid) => {
      seen.add('recover');
      await letters.recover(popper.state.folderOfUid(uid));
    });
    // #endregion

    // #region connect
    popper.hooks.connect.tapPromise('every-hook', async (peer) => {
      seen.add('connect');
      return peer.address === '192.0.2.66' ? { text: 'not from there', code: 'SYS/PERM' } : undefined;
    });
    // #endregion

    // #region preface
    popper.hooks.preface.tapPromise('every-hook', async (channel) => {
      seen.add('preface');
      if (channel.facts.local.port !== 1109) return undefined;
      const octets = await channel.readOctets();
      return octets === undefined ? { text: 'nothing was sent' } : letters.identityFrom(octets);
    });
    // #endregion

    // #region greeting
    popper.hooks.greeting.tap('every-hook', (text) => {
      seen.add('greeting');
      return `${text} at example.org`;
    });
    // #endregion

    // #region capabilities
    popper.hooks.capabilities.tap('every-hook', (capabilities) => {
      seen.add('capabilities');
      return [...capabilities, 'EXPIRE NEVER'];
    });
    // #endregion

    // #region command
    popper.hooks.command.for('DELE').tapPromise('every-hook', async (session) => {
      seen.add('command');
      if (session.state !== 'TRANSACTION' || session.identity.user !== 'archive') return undefined;
      return err('nothing is deleted from the archive', 'SYS/PERM');
    });
    // #endregion

    // #region answer
    popper.hooks.answer.for('DELE').tap('every-hook', ({ status }, words, session) => {
      seen.add('answer');
      popper.log.debug('asked to delete', { session: session.id, message: words, done: status === '+OK' });
    });
    // #endregion

    // #region authenticate
    popper.hooks.authenticate.tapPromise('every-hook', async (attempt) => {
      seen.add('authenticate');
      if (attempt.method !== 'password' || !letters.knows(attempt.user)) return undefined;
      if (!letters.opens(attempt.user, attempt.password.reveal())) return denied('wrong password');
      return granted({ user: attempt.user, uid: 1000, gid: 1000, home: `/home/${attempt.user}` });
    });
    // #endregion

    // #region refused
    popper.hooks.refused.tapPromise('every-hook', async (user, session) => {
      seen.add('refused');
      popper.log.warn('a guess', { user, address: session.peer.address });
    });
    // #endregion

    // #region openMaildrop
    popper.hooks.openMaildrop.tapPromise('every-hook', async (identity) => {
      seen.add('openMaildrop');
      const claim = await popper.state.claim(identity, `letters of ${identity.user}`);
      return letters.maildropFor(identity.user, claim);
    });
    // #endregion

    // #region maildrop
    popper.hooks.maildrop.tapPromise('every-hook', async (maildrop, identity) => {
      seen.add('maildrop');
      popper.log.debug('opened', { user: identity.user, messages: maildrop.count });
      return maildrop;
    });
    // #endregion

    // #region commit
    popper.hooks.commit.tapPromise('every-hook', async (deleted, session) => {
      seen.add('commit');
      if (deleted.size > 1 && session.identity.user === 'careful') {
        throw new Failure('one message at a time, please; nothing was deleted', { code: 'SYS/PERM' });
      }
    });
    // #endregion

    // #region sessionEnd
    popper.hooks.sessionEnd.tapPromise('every-hook', async ({ user, ending, deleted }) => {
      seen.add('sessionEnd');
      popper.log.info('gone', { user, ending, deleted: deleted.messages });
    });
    // #endregion

    // #region wire
    popper.hooks.wire.tap('every-hook', ({ session, direction, text }) => {
      seen.add('wire');
      letters.note(`${session} ${direction === 'received' ? 'C' : 'S'}: ${text}`);
    });
    // #endregion

    // #region log
    popper.hooks.log.tap('every-hook', ({ level, message }) => {
      seen.add('log');
      letters.note(`${level} ${message}`);
    });
    // #endregion
  },
});
