import { identityOf, memoryState, MemoryStore, storeConformance, type StoreUnderTest } from 'popperd/testing';

// MemoryStore stands for your store here. `deliver` and `stored` go past it, as another program would.
async function make(): Promise<StoreUnderTest> {
  const state = memoryState();
  const store = new MemoryStore(state);
  return {
    deliver: async (user, messages) => store.deliver(user, messages),
    open: (user) => store.open(identityOf(user)),
    stored: async (user) => store.stored(user),
    removeBehind: async (user, index) => store.removeBehind(user, index),
    restart: async () => {},
    dispose: () => state.remove(),
  };
}

storeConformance({ name: 'a store in memory', make });
