export { latin1, pipelined, type Client, type Segment } from './testing/client.ts';
export type { Departure, Turn } from './testing/memory-channel.ts';
export { identityOf, memoryHost, testPlugin, type Opens, type Passwords } from './testing/memory-host.ts';
export { memoryMaildrop, MemoryMaildrop, type Text } from './testing/memory-maildrop.ts';
export { memoryState, MemoryState } from './testing/memory-state.ts';
export { MemoryStore } from './testing/memory-store.ts';
export {
  converse,
  TestServer,
  type Finding,
  type Recording,
  type TestServerOptions,
} from './testing/test-server.ts';
export { NameServer, type Zone } from './testing/name-server.ts';
export { transcript } from './testing/transcript.ts';
export { storeConformance } from './testing/store-conformance.ts';
export type { StoreConformance, StoreUnderTest } from './testing/conformance/store-under-test.ts';
