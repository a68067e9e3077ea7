import type { AuthorizationSession, Command, Peer, Plugin, Popper, Session } from 'popperd';

/** The same plugin, to which all clients seem to come from there: a TestServer has them come from one place. */
export const clientsFrom = (peer: Peer, plugin: Plugin): Plugin => ({
  ...plugin,
  apply: (popper) => plugin.apply({ ...popper, ...seenFrom(peer, popper) }),
});

function seenFrom(peer: Peer, { commands, hooks }: Popper): Pick<Popper, 'commands' | 'hooks'> {
  const moved = <S extends Session>(session: S): S =>
    Object.create(session, { peer: { value: peer, enumerable: true } });
  const authenticate: Popper['hooks']['authenticate'] = Object.create(hooks.authenticate, {
    tapPromise: {
      value: (...[options, decide]: Parameters<Popper['hooks']['authenticate']['tapPromise']>) =>
        hooks.authenticate.tapPromise(options, (attempt, session: AuthorizationSession) =>
          decide(attempt, moved(session)),
        ),
    },
  });
  const add = (command: Command): void =>
    commands.add({ ...command, forSession: (session) => command.forSession(moved(session)) });
  return { commands: { add }, hooks: { ...hooks, authenticate } };
}
