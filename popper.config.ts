import authPasswd from 'popper-plugin-auth-passwd';
import demo from 'popper-plugin-demo';
import storeMbox from 'popper-plugin-store-mbox';
import xtndXmit from 'popper-plugin-xtnd-xmit';
import { defineConfig } from 'popperd';

// What `npm start` serves: one user, `demo`, with a few messages. Everything it writes is below var/.
export default defineConfig({
  listen: [{ host: '127.0.0.1', port: 1110 }],
  stateDir: 'var/state',
  fronts: 1, // one process is enough to look at; left out, there is one for each core
  limits: { connections: 100 },
  plugins: [
    demo({ folder: 'var' }), // makes the files below on the first start, and prints how to log in
    authPasswd({ file: 'var/passwd' }), // who may log in
    storeMbox({ spool: 'var/mail/{user}' }), // where the mail is
    xtndXmit({ transport: { kind: 'directory', folder: 'var/sent' } }), // XTND XMIT: what clients send lies there
  ],
});
