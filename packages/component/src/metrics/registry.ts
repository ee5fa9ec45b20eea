import assert from 'node:assert/strict';
import { bucketLabels, escapeHelp, seriesName } from './text-format.ts';

export interface MetricOptions {
  /** As exposed: `apiserver_request_total`. */
  readonly name: string;
  readonly help: string;
  /** Label names, in the order in which every call gives their values. @default none */
  readonly labels?: readonly string[];
}
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, growing; `+Inf` is implied. */
  readonly buckets: readonly number[];
}

/** Only grows. Name ends in `_total`. */
export interface Counter {
  /** @param by - At least 0. @default 1 */
  inc(values?: readonly string[], by?: number): void;
}
export interface Gauge {
  set(value: number, values?: readonly string[]): void;
  add(by: number, values?: readonly string[]): void;
}
export interface Histogram {
  observe(value: number, values?: readonly string[]): void;
}

/** Metrics in Prometheus' text format 0.0.4. One registry per component: there is none for the whole process. */
export interface MetricsRegistry {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  /** A counter that somebody else keeps, as the operating system does: `read` gives its value at each exposition. */
  counterReading(options: Omit<MetricOptions, 'labels'>, read: () => number): void;
  histogram(options: HistogramOptions): Histogram;
  /** Runs `refresh` before each exposition: for values that are read rather than counted. */
  onCollect(refresh: () => void): void;
  /** The whole exposition, families sorted by name. */
  text(): string;
}

interface Family {
  readonly options: MetricOptions;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): string[];
}

/** @throws {AssertionError} when a name is registered twice, or a call gives another number of label values than declared: caller bugs. */
export function newMetricsRegistry(): MetricsRegistry {
  const families = new Map<string, Family>();
  const refreshers: (() => void)[] = [];
  const register = <T extends Family>(family: T): T => {
    assert(!families.has(family.options.name), `metric ${family.options.name} is registered twice`);
    families.set(family.options.name, family);
    return family;
  };
  return {
    counter: (options) => register(newScalar(options, 'counter')),
    gauge: (options) => register(newScalar(options, 'gauge')),
    counterReading: (options, read) => void register({ options, type: 'counter', lines: () => [`${options.name} ${read()}`] }),
    histogram: (options) => register(newHistogram(options)),
    onCollect: (refresh) => void refreshers.push(refresh),
    text() {
      for (const refresh of refreshers) refresh();
      const sorted = [...families.values()].sort((a, b) => (a.options.name < b.options.name ? -1 : 1));
      return sorted.map(exposition).join('');
    },
  };
}

function exposition({ options, type, lines }: Family): string {
  const rows = lines();
  if (rows.length === 0) return '';
  return `# HELP ${options.name} ${escapeHelp(options.help)}\n# TYPE ${options.name} ${type}\n${rows.join('\n')}\n`;
}

const none: readonly string[] = [];
const keyOf = (values: readonly string[]): string => (values.length === 1 ? (values[0] ?? '') : values.join('\u0000'));

function newScalar(options: MetricOptions, type: 'counter' | 'gauge'): Family & Counter & Gauge {
  const labels = options.labels ?? none;
  /** One entry per combination of label values ever used. */
  const series = new Map<string, { readonly name: string; value: number }>();
  const at = (values: readonly string[]) => {
    assert(values.length === labels.length, `${options.name} wants ${labels.length} label values`);
    const key = keyOf(values);
    const known = series.get(key);
    if (known !== undefined) return known;
    const fresh = { name: seriesName(options.name, labels, values), value: 0 };
    series.set(key, fresh);
    return fresh;
  };
  if (labels.length === 0) at(none);
  return {
    options,
    type,
    inc(values = none, by = 1) {
      assert(by >= 0);
      at(values).value += by;
    },
    set(value, values = none) {
      at(values).value = value;
    },
    add(by, values = none) {
      at(values).value += by;
    },
    lines: () => [...series.values()].map(({ name, value }) => `${name} ${value}`),
  };
}

interface Distribution {
  /** Of each bucket alone, not cumulative; the last is `+Inf`. */
  readonly counts: number[];
  readonly values: readonly string[];
  sum: number;
}

function newHistogram(options: HistogramOptions): Family & Histogram {
  const labels = options.labels ?? none;
  const { name, buckets } = options;
  const series = new Map<string, Distribution>();
  return {
    options,
    type: 'histogram',
    observe(value, values = none) {
      assert(values.length === labels.length, `${name} wants ${labels.length} label values`);
      const key = keyOf(values);
      let distribution = series.get(key);
      if (distribution === undefined) {
        distribution = { counts: new Array<number>(buckets.length + 1).fill(0), values: [...values], sum: 0 };
        series.set(key, distribution);
      }
      let index = 0;
      while (index < buckets.length && value > (buckets[index] ?? Number.POSITIVE_INFINITY)) index++;
      distribution.counts[index] = (distribution.counts[index] ?? 0) + 1;
      distribution.sum += value;
    },
    lines: () => [...series.values()].flatMap((distribution) => histogramLines(name, labels, buckets, distribution)),
  };
}

function histogramLines(name: string, labels: readonly string[], buckets: readonly number[], distribution: Distribution): string[] {
  const { counts, values, sum } = distribution;
  const lines: string[] = [];
  let total = 0;
  for (const [index, count] of counts.entries()) {
    total += count;
    const bound = index < buckets.length ? String(buckets[index]) : '+Inf';
    lines.push(`${seriesName(`${name}_bucket`, ...bucketLabels(labels, values, bound))} ${total}`);
  }
  lines.push(`${seriesName(`${name}_sum`, labels, values)} ${sum}`, `${seriesName(`${name}_count`, labels, values)} ${total}`);
  return lines;
}
