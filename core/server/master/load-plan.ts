import type { Plan } from '../ipc/plan.ts';
import type { Child } from './child.ts';
import { Silence } from './silence.ts';

/** A configuration that takes longer to load hangs. */
const patienceMs = 60_000;

/** What a configuration needs, by a child that loads and checks it and starts nothing. Rejects with what is wrong. */
export async function loadPlan(fork: () => Child): Promise<Plan> {
  const child = fork();
  const silence = new Silence(patienceMs, () => child.kill());
  let plan: Plan | undefined;
  let reason = 'loading the configuration ended without an answer';
  child.heard = (report) => {
    if (report.kind === 'plan') plan = report.plan;
    if (report.kind === 'failed') reason = report.reason;
  };
  const { error } = await child.ended;
  silence.close();
  if (plan === undefined) throw new Error(error?.message ?? reason);
  return plan;
}
