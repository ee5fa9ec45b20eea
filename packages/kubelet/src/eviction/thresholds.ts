import { quantityFromValue, quantityValue } from '@orrery/apimachinery';

/** What may run out on a node. Names as in KubeletConfiguration. */
export type Signal =
  | 'memory.available'
  | 'nodefs.available'
  | 'nodefs.inodesFree'
  | 'imagefs.available'
  | 'imagefs.inodesFree'
  | 'pid.available';

export const signals: readonly Signal[] = [
  'memory.available', // Before the others: without memory nothing else can be put right.
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
];

/** What is there and what is left, in bytes, inodes or process ids. */
export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

export type Observations = Readonly<Partial<Record<Signal, Observation>>>;

/** By signal: an amount as `100Mi`, or a share of the capacity as `10%`. */
export type ThresholdMap = Readonly<Partial<Record<Signal, string>>>;

export interface Threshold {
  readonly signal: Signal;
  readonly value: string;
  /** How long it must be crossed before a pod goes. 0: at once. */
  readonly graceMs: number;
  /** What must be there above the value before the threshold counts as left. */
  readonly minReclaim: string;
}

export interface ThresholdConfig {
  readonly evictionHard: ThresholdMap;
  readonly evictionSoft: ThresholdMap;
  readonly evictionSoftGraceMs: Readonly<Partial<Record<Signal, number>>>;
  readonly evictionMinimumReclaim: ThresholdMap;
}

/** @throws {Error} for a soft threshold without a grace period. */
export function thresholdsOf(config: ThresholdConfig): readonly Threshold[] {
  const { evictionHard, evictionSoft, evictionSoftGraceMs, evictionMinimumReclaim } = config;
  return signals.flatMap((signal): Threshold[] => {
    const minReclaim = evictionMinimumReclaim[signal] ?? '0';
    const [hard, soft, graceMs] = [evictionHard[signal], evictionSoft[signal], evictionSoftGraceMs[signal]];
    if (soft !== undefined && graceMs === undefined)
      throw new Error(`grace period must be specified for the soft eviction threshold ${signal}`);
    return [
      ...(hard === undefined ? [] : [{ signal, value: hard, graceMs: 0, minReclaim }]),
      ...(soft === undefined || graceMs === undefined ? [] : [{ signal, value: soft, graceMs, minReclaim }]),
    ];
  });
}

/** The amount that `text` stands for. */
export const amountOf = (text: string, capacity: number): number =>
  text.endsWith('%') ? Math.floor((capacity * Number(text.slice(0, -1))) / 100) : quantityValue(text);

/** Whether less than the threshold is left. @param leaving - It was crossed before: the reclaim counts on top. */
export function isCrossed({ signal, value, minReclaim }: Threshold, observations: Observations, leaving: boolean): boolean {
  const observed = observations[signal];
  if (observed === undefined) return false;
  const { available, capacity } = observed;
  return available < amountOf(value, capacity) + (leaving ? amountOf(minReclaim, capacity) : 0);
}

export type PressureType = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

export const pressureOf = (signal: Signal): PressureType =>
  signal === 'memory.available' ? 'MemoryPressure' : signal === 'pid.available' ? 'PIDPressure' : 'DiskPressure';

/** What pods are evicted for, in the words of messages. */
export function resourceOf(signal: Signal): 'memory' | 'ephemeral-storage' | 'inodes' | 'pids' {
  if (signal === 'memory.available') return 'memory';
  if (signal === 'pid.available') return 'pids';
  return signal.endsWith('inodesFree') ? 'inodes' : 'ephemeral-storage';
}

/** As Go prints a quantity of `signal`. */
export const shownAmount = (signal: Signal, amount: number): string =>
  quantityFromValue(amount, signal.endsWith('inodesFree') || signal === 'pid.available' ? 'DecimalSI' : 'BinarySI').text;
