import authPasswd from 'popper-plugin-auth-passwd';
import storeMbox from 'popper-plugin-store-mbox';
import usage from 'popper-plugin-usage';
import { defineConfig } from 'popperd';

export default defineConfig({
  listen: [{ host: '127.0.0.1', port: 1110 }],
  stateDir: 'state',
  plugins: [
    authPasswd({ file: 'passwd' }),
    storeMbox({ spool: 'mail/{user}' }),
    usage({ limitOctets: 50_000_000 }),
  ],
});
