import type { Checked } from '../ipc/plan.ts';
import type { Child } from './child.ts';
import { shownBy } from './shown-by.ts';
import { Silence } from './silence.ts';

/** A configuration that takes longer to load hangs, in milliseconds. */
const defaultPatienceMs = 60_000;

/** The configuration as it is on disk, by a child that loads and checks it and starts nothing. Rejects with what is wrong. */
export async function loadPlan(fork: () => Child, patienceMs = defaultPatienceMs): Promise<Checked> {
  const child = fork();
  let checked: Checked | undefined;
  let reason = 'loading the configuration ended without an answer';
  const silence = new Silence(patienceMs, () => {
    reason = `loading the configuration took more than ${patienceMs} ms, and was ended at: ${shownBy(child.pid)}`;
    child.kill();
  });
  child.heard = (report) => {
    if (report.kind === 'plan') checked = report;
    if (report.kind === 'failed') reason = report.reason;
  };
  const { error } = await child.ended;
  silence.close();
  if (checked === undefined) throw new Error(error?.message ?? reason);
  return checked;
}
