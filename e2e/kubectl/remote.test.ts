import { remoteDriver } from './drivers.ts';
import { describeWithPods } from './with-pods/all.ts';

await describeWithPods(remoteDriver);
