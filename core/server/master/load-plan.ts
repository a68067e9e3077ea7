import type { Checked } from '../ipc/plan.ts';
import type { Child } from './child.ts';
import { type Ending, told } from './ending.ts';
import type { StartPatience } from './start-patience.ts';

/** A configuration that does not do. */
export class LoadFault extends Error {
  /** Whether the child has found out what is wrong; else it has ended before. */
  readonly isKnown: boolean;
  /** The child's. */
  readonly exitCode: number | undefined;

  constructor(reason: string | undefined, ending: Ending) {
    super(reason ?? `loading the configuration ended without an answer (${told(ending)})`);
    this.isKnown = reason !== undefined;
    this.exitCode = ending.exitCode;
  }
}

/**
 * The configuration as it is on disk, by a child that loads and checks it and starts nothing. Rejects with a LoadFault where it does
 * not do, and with an Error where that takes too long.
 */
export async function loadPlan(child: Child, patience: StartPatience): Promise<Checked> {
  let checked: Checked | undefined;
  let reason: string | undefined;
  child.heard = (report) => {
    if (report.kind === 'plan') checked = report;
    if (report.kind === 'failed') ({ reason } = report);
  };
  const loaded = child.ended.then((ending) => {
    if (checked === undefined) throw new LoadFault(reason, ending);
    return checked;
  });
  return patience.with(loaded, child);
}
