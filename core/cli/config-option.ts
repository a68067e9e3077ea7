/** `-c FILE` from the front or the end: whatever else a subcommand gets is its own to read. */
export function configAround(args: readonly string[], otherwise: string | undefined) {
  const front = configIn(args, otherwise);
  if (front.file !== undefined || args.includes('--')) return front;
  const attached = /^--config=(.+)$/s.exec(args.at(-1) ?? '')?.[1];
  if (attached !== undefined) return { file: attached, args: args.slice(0, -1) };
  const isNamed = ['-c', '--config'].includes(args.at(-2) ?? '');
  return isNamed ? { file: args.at(-1), args: args.slice(0, -2) } : front;
}

/** Takes `-c FILE`, in any of its spellings, from the front. */
function configIn(args: readonly string[], otherwise: string | undefined) {
  const [first = '', second, ...rest] = args;
  if (first === '-c' || first === '--config') return { file: second ?? otherwise, args: rest };
  const attached = /^(?:--config=|-c)(.+)$/s.exec(first)?.[1];
  if (attached === undefined) return { file: otherwise, args };
  return { file: attached, args: args.slice(1) };
}
