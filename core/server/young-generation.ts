import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Octets, with the half that is empty between collections. */
const enoughOctets = 32 * 1024 * 1024;
const lookMs = 250;

/**
 * Keeps V8's young generation from growing beyond 32 MiB: it would go to 64 and never come back. It grows with what
 * survives, and sessions that log in and stay do. It is said while the process runs, for a process that serves alone has
 * no say in how its Node was started. May be called more than once.
 */
export function limitYoungGeneration(): void {
  const looks = setInterval(() => {
    if (youngOctets() < enoughOctets) return;
    clearInterval(looks);
    setFlagsFromString('--semi-space-growth-factor=1');
  }, lookMs).unref();
}

const youngOctets = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
