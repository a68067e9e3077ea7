/** A reporter that tells of nothing but the tests that were skipped, and why. */
export default async function* skipped(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined) continue;
    yield `  ${data.name}${typeof data.skip === 'string' ? `: ${data.skip}` : ''}\n`;
  }
}
