import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import type { Core } from '../../../core/core.ts';
import { SocketChannel } from '../../../core/server/channel.ts';
import { OpenSessions } from '../../../core/server/open-sessions.ts';
import { LoginClient } from '../../../core/server/user/login-client.ts';
import { userAuthority } from '../../../core/server/user/user-authority.ts';
import type { SessionReport } from '../../../core/session/report.ts';
import { runSession } from '../../../core/session/run-session.ts';
import type { SmallMaster } from './small-master.ts';

/** Where clients connect: the part of a front that matters here. */
export class Front {
  readonly reports: SessionReport[] = [];
  readonly port: number;
  readonly sessions: OpenSessions;
  readonly #close: () => void;

  private constructor(port: number, sessions: OpenSessions, close: () => void) {
    this.port = port;
    this.sessions = sessions;
    this.#close = close;
  }

  static async start(core: Core, master: SmallMaster): Promise<Front> {
    const logins = new LoginClient(await master.introduceFront());
    const sessions = new OpenSessions();
    const authority = userAuthority({
      core,
      logins,
      assign: (ticket, facts, lent) => master.assign(ticket, facts, lent),
      channelOf: (id) => sessions.get(id)?.channel,
    });
    let count = 0;
    const accept = async (socket: Socket): Promise<void> => {
      count += 1;
      const peer = { address: '192.0.2.7', port: 4711 };
      const facts = { id: `f-${count}`, peer, local: { address: '192.0.2.1', port: 110 }, secure: true };
      const channel = new SocketChannel(socket, facts, core.settings);
      await sessions.hold(channel, (tally) => runSession(channel, core, authority, tally));
      await channel.close();
      channel.destroy();
    };
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void accept(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const front = new Front(typeof address === 'object' ? (address?.port ?? 0) : 0, sessions, () =>
      server.close(),
    );
    core.hooks.sessionEnd.tapPromise('front', async (report) => void front.reports.push(report));
    return front;
  }

  close(): void {
    this.#close();
  }
}
