import type { LoginAttempt, Secret } from 'popperd';

declare module 'popperd' {
  interface LoginMethods {
    readonly rpop: {
      /** Who the client says its own user is. */
      readonly clientUser: string;
      /** Nobody's, made up for the attempt: whoever takes it for one that was sent finds it wrong. */
      readonly password: Secret;
    };
  }
}

/** A login by RPOP. */
export type RpopAttempt = Extract<LoginAttempt, { readonly method: 'rpop' }>;
