const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** A duration for people, its two largest units: `45s`, `3m07s`, `2h00m`, `41d06h`. */
export function durationOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const first = units.findIndex(([, each]) => seconds >= each);
  const [large, small] = first === -1 ? units.slice(-1) : units.slice(first, first + 2);
  if (large === undefined) return '0s';
  const head = `${Math.floor(seconds / large[1])}${large[0]}`;
  if (small === undefined) return head;
  return `${head}${String(Math.floor((seconds % large[1]) / small[1])).padStart(2, '0')}${small[0]}`;
}

/** How long ago a moment was. */
export const since = (time: string, nowMs = Date.now()): string => durationOf(nowMs - Date.parse(time));
