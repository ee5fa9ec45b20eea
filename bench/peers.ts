import { createLoad } from './peers/create-load.ts';
import { listLoad } from './peers/list-load.ts';
import { watchLoad } from './peers/watch-load.ts';

/** Programs that run beside a measured process, in one of their own. Options and results cross as JSON. */
export const peers: Readonly<Record<string, (options: never) => Promise<unknown>>> = {
  'create-load': createLoad,
  'list-load': listLoad,
  'watch-load': watchLoad,
};
