import { processDriver } from './drivers.ts';
import { describeWithPods } from './with-pods/all.ts';

await describeWithPods(processDriver);
