import type { Figure, Line, Samples } from './line.ts';
import { percentileOf, type Spread, spreadOf } from './statistics.ts';

export interface FigureReport {
  readonly figure: string;
  readonly unit: string;
  readonly value: number;
  readonly percentile: number;
  readonly spread: Spread;
  readonly samples: number;
  readonly reach: Figure['reach'];
  /** undefined without a number to reach. */
  readonly reached: boolean | undefined;
}

export interface LineReport {
  readonly name: string;
  readonly what: string;
  readonly method: string;
  readonly runs: number;
  readonly figures: readonly FigureReport[];
  /** Runs that failed, and why. */
  readonly failures: readonly string[];
}

export function reportOf(line: Line, runs: readonly Samples[], failures: readonly string[]): LineReport {
  const { name, what, method } = line;
  const figures = line.figures.map((figure): FigureReport => {
    const samples = runs.flatMap((run) => run[figure.name] ?? []);
    const percentile = figure.percentile ?? 0.5;
    const value = percentileOf(samples, percentile);
    return {
      figure: figure.name,
      unit: figure.unit,
      value,
      percentile,
      spread: spreadOf(samples),
      samples: samples.length,
      reach: figure.reach,
      reached: samples.length === 0 ? undefined : isReached(figure, value),
    };
  });
  return { name, what, method, runs: runs.length, figures, failures };
}

function isReached({ reach }: Figure, value: number): boolean | undefined {
  if (reach === undefined) return undefined;
  return 'atMost' in reach ? value <= reach.atMost : value >= reach.atLeast;
}

export function textOf(report: LineReport): string {
  const rows = report.figures.map(({ figure, unit, value, spread, samples, reach, reached }) => {
    const range = `${spread.kind} ${shown(spread.low)}–${shown(spread.high)}, n=${samples}`;
    const mark = reached === undefined ? '' : reached ? '  ok' : '  MISSED';
    return `  ${figure.padEnd(38)} ${shown(value).padStart(9)} ${unit.padEnd(12)} ${range.padEnd(38)} ${reachText(reach)}${mark}`.trimEnd();
  });
  const failures = report.failures.map((failure) => `  FAILED: ${failure}`);
  return [`${report.name}: ${report.what}`, `  (${report.method})`, ...rows, ...failures, ''].join('\n');
}

function reachText(reach: Figure['reach']): string {
  if (reach === undefined) return '';
  return 'atMost' in reach ? `reach ≤ ${shown(reach.atMost)}` : `reach ≥ ${shown(reach.atLeast)}`;
}

/** Three digits that count. */
function shown(value: number): string {
  if (Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
}
