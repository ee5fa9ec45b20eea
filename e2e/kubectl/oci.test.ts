import { ociDriver } from './drivers.ts';
import { describeWithPods } from './with-pods/all.ts';

await describeWithPods(ociDriver);
