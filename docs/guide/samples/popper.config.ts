import authPasswd from 'popper-plugin-auth-passwd';
import storeMbox from 'popper-plugin-store-mbox';
import { defineConfig } from 'popperd';

export default defineConfig({
  listen: [{ host: '127.0.0.1', port: 110 }],
  stateDir: '/var/lib/popper',
  plugins: [authPasswd({ file: '/etc/popper/passwd' }), storeMbox({ spool: '/srv/mail/{user}' })],
});
