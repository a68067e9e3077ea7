import { printableWord, type SessionReport } from 'popperd';

/** What is known of a session that is over and had a login. */
export type Session = Omit<SessionReport, 'user' | 'failure'> & { readonly user: string };

/** The servers whose lines can be written, each by its name. */
export const textForms = ['classic', 'qpopper4', 'dovecot', 'courier', 'cyrus', 'popa3d'] as const;
export type TextForm = (typeof textForms)[number];

/** The line that a server of that name writes at the end of a session, or as near as can be; `pid` is for those that give one. */
export const lineIn = (form: TextForm, session: Session, pid: number): string => makers[form](session, pid);

type Maker = (session: Session, pid: number) => string;

const makers: Readonly<Record<TextForm, Maker>> = {
  classic: (session) => `Stats: ${nameOf(session)} ${fourNumbers(session)}`,
  // The host's name is not looked up, so the address stands for it.
  qpopper4: (session) => {
    const address = hostOf(session);
    return `Stats: ${nameOf(session)} ${fourNumbers(session)} ${address} ${address}`;
  },
  dovecot,
  courier,
  cyrus: ({ retrieved, top, deleted }) =>
    `counts: retr=<${retrieved.messages}> top=<${top.messages}> dele=<${deleted.messages}>`,
  popa3d: ({ deleted, left }) =>
    `${deleted.messages} (${deleted.octets}) deleted, ${left.messages} (${left.octets}) left`,
};

/** `pop3_logout_format` as it is by default, behind the reason. */
function dovecot(session: Session, pid: number): string {
  const { id, retrieved, top, deleted, left, ending } = session;
  const counts = [
    `top=${top.messages}/${top.octets}`,
    `retr=${retrieved.messages}/${retrieved.octets}`,
    `del=${deleted.messages}/${deleted.messages + left.messages}`,
    `size=${deleted.octets + left.octets}`,
  ];
  const reason = reasonsOfDovecot[ending] ?? 'Disconnected: Connection closed';
  return `pop3(${nameOf(session)})<${pid}><${id}>: ${reason} ${counts.join(', ')}`;
}

type Endings = Readonly<Partial<Record<Session['ending'], string>>>;

const reasonsOfDovecot: Endings = {
  quit: 'Disconnected: Logged out',
  idle: 'Disconnected for inactivity',
  stopped: 'Server shutting down.',
};

/** Its `retr` and `top` are octets. */
function courier(session: Session): string {
  const { ending, peer, retrieved, top, received, sent, durationMs, tls } = session;
  const facts = [
    wordsOfCourier[ending] ?? 'DISCONNECTED',
    `user=${nameOf(session)}`,
    `ip=[${hostOf(session)}]`,
    `port=[${peer.port}]`,
    `top=${top.octets}`,
    `retr=${retrieved.octets}`,
    `rcvd=${received}`,
    `sent=${sent}`,
    `time=${Math.round(durationMs / 1000)}`,
    ...(tls === undefined ? [] : ['stls=1']),
  ];
  return `INFO: ${facts.join(', ')}`;
}

const wordsOfCourier: Endings = { quit: 'LOGOUT', idle: 'TIMEOUT' };

const fourNumbers = ({ deleted, left }: Session): string =>
  `${deleted.messages} ${deleted.octets} ${left.messages} ${left.octets}`;

/** A name is one word whatever is in it, for fields are told apart by spaces. */
const nameOf = ({ user }: Session): string => printableWord(user, longestNameOctets);
const hostOf = ({ peer }: Session): string => printableWord(peer.address, longestNameOctets);

/** The longest name that can log in, with its domain. */
const longestNameOctets = 318;
