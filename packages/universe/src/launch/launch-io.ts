import type { Clock, Random } from '@orrery/base';

/** The terminal, the machine and the time of a launcher. */
export interface LaunchIo {
  /** What the program says. */
  readonly out: (text: string) => void;
  /** What the launcher says. */
  readonly err: (text: string) => void;
  /** Colours are welcome. */
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** `me@laptop`: shown to others of the cluster. */
  readonly startedBy: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the user asks to stop; a second wish ends the process without asking here. */
  readonly signal: AbortSignal;
}
