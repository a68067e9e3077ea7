import type { Listen } from '../../settings.ts';
import type { Advice } from '../tls/advice.ts';
import type { GivenSocket } from './variables.ts';

type Inherited = Extract<Listen, { readonly inherited: string }>;
/** An entry of `listen`, and where it names a given socket, which of them that is. */
export type Placed = Exclude<Listen, Inherited> | (Inherited & Pick<GivenSocket, 'descriptor'>);

/** Why an entry of `listen` cannot be served, for the operator. */
export class MissingSocket extends Error {}

/**
 * The entries, each with the socket that it names: the second of a name has the second socket of that name. Throws a MissingSocket
 * where there is none.
 */
export function placed(listen: readonly Listen[], given: readonly GivenSocket[]): readonly Placed[] {
  const left = [...given];
  return listen.map((where) => {
    if (!('inherited' in where)) return where;
    const index = left.findIndex(({ name }) => name === where.inherited);
    const [socket] = index === -1 ? [] : left.splice(index, 1);
    if (socket === undefined) throw new MissingSocket(missing(where.inherited, given));
    return { ...where, descriptor: socket.descriptor };
  });
}

/** What an operator is to know of sockets that are open and named by no entry. */
export function adviceOnSockets(listen: readonly Listen[], given: readonly GivenSocket[]): readonly Advice[] {
  const served = placed(listen, given).flatMap((where) => ('descriptor' in where ? [where.descriptor] : []));
  return given
    .filter(({ descriptor }) => !served.includes(descriptor))
    .map(({ name }) => ({
      what: `the socket ${JSON.stringify(name)} is open and not served: its clients wait for nobody`,
      fix: `write listen: [{ inherited: ${JSON.stringify(name)} }] once for each socket of that name, or close it`,
    }));
}

function missing(name: string, given: readonly GivenSocket[]): string {
  const names = given.map((socket) => JSON.stringify(socket.name)).join(', ');
  const had = given.length === 0 ? 'no open socket' : `${names} and no other`;
  return `listen: there is no socket ${JSON.stringify(name)}, for popper was started with ${had}: see FileDescriptorName= in popper.socket, or write a port`;
}
