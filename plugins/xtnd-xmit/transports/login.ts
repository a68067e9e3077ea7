import type { AuthOptions } from '../options.ts';
import { secretText } from './secrets.ts';

/** What nodemailer logs in with. */
export type Login =
  | { readonly user: string; readonly pass: string }
  | {
      readonly type: 'OAuth2';
      readonly user: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly refreshToken: string;
      readonly accessUrl: string;
    };

/** Reads the secrets: each time anew, so that a new one counts at once. */
export async function loginOf(auth: AuthOptions): Promise<Login> {
  const { user, oauth2 } = auth;
  if (oauth2 === undefined) return { user, pass: await secretText(auth.password, auth.passwordFile) };
  const { clientId, accessUrl } = oauth2;
  const clientSecret = await secretText(oauth2.clientSecret, oauth2.clientSecretFile);
  const refreshToken = await secretText(oauth2.refreshToken, oauth2.refreshTokenFile);
  return { type: 'OAuth2', user, clientId, clientSecret, refreshToken, accessUrl };
}

/** The files that hold secrets. */
export const secretFilesOf = ({ passwordFile, oauth2 }: AuthOptions): readonly string[] =>
  [passwordFile, oauth2?.clientSecretFile, oauth2?.refreshTokenFile].filter((file) => file !== undefined);
