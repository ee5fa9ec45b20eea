import type { Line } from './line.ts';
import { createsLine } from './lines/creates.ts';
import { dashboardLine } from './lines/dashboard.ts';
import { dnsLine } from './lines/dns.ts';
import { firstAnswerLine } from './lines/first-answer.ts';
import { idleLine } from './lines/idle.ts';
import { inProcessLine } from './lines/in-process.ts';
import { listLine } from './lines/list.ts';
import { podStartLines } from './lines/pod-start.ts';
import { schedulingLine } from './lines/scheduling.ts';
import { servicesLine } from './lines/services.ts';
import { simulatedLine } from './lines/simulated.ts';
import { storeLine } from './lines/store.ts';
import { universeLine } from './lines/universe.ts';
import { upLine } from './lines/up.ts';
import { watchersLine } from './lines/watchers.ts';

/** Every line of the table, in its order. A new line adds one here. */
export const lines: readonly Line[] = [
  upLine,
  idleLine,
  inProcessLine,
  createsLine,
  storeLine,
  listLine,
  watchersLine,
  schedulingLine,
  simulatedLine,
  ...podStartLines,
  firstAnswerLine,
  servicesLine,
  dnsLine,
  universeLine,
  dashboardLine,
];
