import { compareQuantity } from '@orrery/apimachinery';
import { type AutoscaleSetting, type ClusterSetting, type Exposure, type PortSetting, UsageProblem } from './settings.ts';

const wrong = (flag: string, text: string, must: string): UsageProblem =>
  new UsageProblem(`${flag} ${JSON.stringify(text)}: must be ${must}`);

/** 0 to 100,000. */
export function parseCount(text: string, flag: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= 100_000)) throw wrong(flag, text, 'a whole number from 0 to 100000');
  return count;
}

/** `8080`, or `3000:8080` for another port on this machine. */
export function parsePort(text: string, flag: string): PortSetting {
  const [, local, port = ''] = /^(?:(\d{1,5}):)?(\d{1,5})$/.exec(text) ?? [];
  const ok = (number: number, min: number): boolean => number >= min && number <= 65535;
  if (port === '' || !ok(Number(port), 1) || (local !== undefined && !ok(Number(local), 0)))
    throw wrong(flag, text, 'a port from 1 to 65535, or local:port');
  return { port: Number(port), local: local === undefined ? undefined : Number(local) };
}

/** A Kubernetes quantity, greater than 0. The text stays as it is. */
export function parseQuantity(text: string, flag: string): string {
  let positive = false;
  try {
    positive = compareQuantity(text, 0) > 0;
  } catch {
    // Told below, with the flag.
  }
  if (!positive) throw wrong(flag, text, 'a quantity greater than 0, as 500m or 256Mi');
  return text;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `90`, `90s`, `1m30s`, `500ms`: in milliseconds. A bare number is seconds. */
export function parseDurationMs(text: string, flag: string): number {
  const terms = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const totalMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : terms.map(([whole]) => whole).join('') === text
      ? terms.reduce((sum, [, amount = '', unit = '']) => sum + Number(amount) * (unitMs[unit] ?? Number.NaN), 0)
      : Number.NaN;
  if (!(totalMs > 0)) throw wrong(flag, text, 'a duration greater than 0, as 90s or 5m');
  return totalMs;
}

const exposures: readonly Exposure[] = ['ClusterIP', 'NodePort', 'LoadBalancer', 'Ingress'];

/** `NodePort`, in any case; `Ingress=app.example.com` names its host. */
export function parseExposure(text: string, flag: string): { readonly exposure: Exposure; readonly host: string | undefined } {
  const [, type = '', host] = /^([^=]*)(?:=(.+))?$/.exec(text) ?? [];
  const exposure = exposures.find((each) => each.toLowerCase() === type.toLowerCase());
  if (exposure === undefined || (host !== undefined && exposure !== 'Ingress'))
    throw wrong(flag, text, `one of ${exposures.join(', ')}, or Ingress=<host>`);
  return { exposure, host };
}

/** `2-10`, or `2-10@70` to aim at 70 % of the CPU request. @default 80 % */
export function parseAutoscale(text: string, flag: string): AutoscaleSetting {
  const [, min = '', max = '', percent = '80'] = /^(\d{1,5})-(\d{1,5})(?:@(\d{1,3})%?)?$/.exec(text) ?? [];
  const setting = { min: Number(min), max: Number(max), cpuPercent: Number(percent) };
  if (min === '' || setting.min < 1 || setting.max < setting.min || setting.cpuPercent < 1)
    throw wrong(flag, text, 'min-max with 1 <= min <= max, as 2-10 or 2-10@70%');
  return setting;
}

/** `a,b=2,c`: contexts and their weights. @default weight 1 */
export function parseClusters(text: string, flag: string): ClusterSetting[] {
  const clusters = text.split(',').map((entry) => {
    const [, context = '', weight] = /^(.+?)(?:=(\d+(?:\.\d+)?))?$/.exec(entry.trim()) ?? [];
    return { context, weight: Number(weight ?? 1) };
  });
  const names = new Set(clusters.map(({ context }) => context));
  if (names.has('') || names.size < clusters.length || clusters.some(({ weight }) => !(weight > 0)))
    throw wrong(flag, text, 'different contexts with weights greater than 0, as east=2,west');
  return clusters;
}

export function parsePattern(text: string, flag: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (cause) {
    throw new UsageProblem(`${flag}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
