import type { Clock, Random } from '@orrery/base';
import type { Front } from './front.ts';

export interface ListenerContext {
  readonly clock: Clock;
  readonly random: Random;
}

/** Something that listens at a front. */
export interface Listener {
  /** The same address and port, with other endpoints. Connections stay where they are. */
  update(front: Front): void;
  /** Ends it with all its connections. */
  close(): Promise<void>;
}
