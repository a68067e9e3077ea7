import { availableParallelism } from 'node:os';

import type { Settings } from '../settings.ts';

/** How many processes are to serve clients where they can share the ports. */
export const frontCount = ({ fronts }: Pick<Settings, 'fronts'>): number =>
  fronts === 'auto' ? availableParallelism() : fronts;
