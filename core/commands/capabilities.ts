import type { Core } from '../core.ts';
import type { Session } from '../session/session.ts';

/** What the core itself keeps to, beside its commands (RFC 2449 section 6, RFC 3206). */
const manners = ['RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'IMPLEMENTATION popper'];

/** RFC 2449 section 3: a tag without dots, then parameters, a space before each; 512 octets with CRLF at most. */
const form = /^(?=.{1,510}$)[!-\x2d\x2f-~]+( [!-~]+)*$/;

/**
 * The CAPA lines: derived from the command table, so that what is announced is what can be used. The same in both
 * states, because a client may ask in only one (RFC 2449 section 5).
 */
export function capabilitiesOf(session: Session, core: Core): readonly string[] {
  const announced = new Set<string>();
  for (const { value } of core.commands.entries()) {
    if (value.capability !== undefined && value.refuse(session) === undefined)
      announced.add(value.capability);
  }
  const edited = core.hooks.capabilities.call([...announced, ...manners], session);
  const malformed = edited.filter((line) => !form.test(line));
  if (malformed.length === 0) return edited;
  // Left out rather than mended: half a capability announces something else.
  core.log.error('capabilities were left out that are none in form', { session: session.id, malformed });
  return edited.filter((line) => form.test(line));
}
