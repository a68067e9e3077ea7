import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Logger } from 'popperd';

import type { Gate, Work } from './gated-files.ts';
import { type Fault, type FileCall, plan, type Plan } from './plan.ts';

/** Where the plans of a site lie, from its folder. */
export const planPathOf = (siteFolder: string, user: string): string =>
  join(siteFolder, 'plans', `${user}.json`);

/** Counts file-changing calls from the moment that a user's plan names, and lets the planned one go wrong. */
export class FaultGate implements Gate {
  readonly #siteFolder: string;
  readonly #log: Logger;
  #armed: { readonly user: string; readonly plan: Plan; readonly calls: FileCall[] } | undefined;

  constructor(siteFolder: string, log: Logger) {
    this.#siteFolder = siteFolder;
    this.#log = log;
  }

  /** The moment has come for this user. */
  async arm(moment: Plan['moment'], user: string): Promise<void> {
    const text = await readFile(planPathOf(this.#siteFolder, user), 'utf8').catch(() => undefined);
    if (text === undefined) return;
    const found = plan.parse(JSON.parse(text));
    if (found.moment !== moment) return;
    this.#armed = { user, plan: found, calls: [] };
  }

  /** It is over, and the log gets what was counted. */
  disarm(user: string | undefined): void {
    if (this.#armed === undefined || this.#armed.user !== user) return;
    this.#log.info('file calls', { user, calls: this.#armed.calls });
    this.#armed = undefined;
  }

  async pass<T>(work: Work<T>): Promise<T> {
    const armed = this.#armed;
    if (armed === undefined) return await work.whole();
    const index = armed.calls.push({ call: work.call, path: work.path }) - 1;
    const { fault } = armed.plan;
    if (fault === undefined || !isHit(fault, index)) return await work.whole();
    return await (fault.kind === 'die' ? die(fault, work) : fail(fault, work, index));
  }
}

const isHit = (fault: Fault, index: number): boolean =>
  index === fault.index || (fault.kind === 'fail' && fault.lasting && index > fault.index);

async function die<T>({ place }: Fault, work: Work<T>): Promise<T> {
  // It may fail of itself, as the unlink of a name that is not there.
  if (place === 'after') await work.whole().catch(() => {});
  else if (place !== 'before') await work.torn?.(place);
  process.kill(process.pid, 'SIGKILL');
  throw new Error('the kernel lets nobody come here');
}

async function fail<T>(fault: Extract<Fault, { kind: 'fail' }>, work: Work<T>, index: number): Promise<T> {
  if (fault.place === 'after') await work.whole();
  else if (fault.place !== 'before' && index === fault.index) await work.torn?.(fault.place);
  throw Object.assign(new Error(`${fault.code}: planned for ${work.call}`), { code: fault.code });
}
