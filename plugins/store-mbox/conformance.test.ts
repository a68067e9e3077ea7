import { storeConformance } from 'popperd/testing';

import { MboxUnderTest } from './testing/mbox-under-test.ts';

storeConformance({
  name: 'store-mbox',
  make: async () => MboxUnderTest.make(),
  asStored: (delivered) => MboxUnderTest.asStored(delivered),
});
