import type { Container, LifecycleHandler, Probe } from '@orrery/api/core/v1';
import {
  type FieldError,
  forbidden,
  invalid,
  isHttpHeaderName,
  isPortName,
  isPortNumber,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { check, nonNegative } from '../../validate.ts';
import type { PodRules } from './rules.ts';

type Handler = Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket' | 'sleep'> & Pick<Probe, 'grpc'>;

/** Probes and hooks of a container that keeps running. */
export function validateLifecycleAndProbes(container: Container, rules: PodRules, field: string): FieldError[] {
  const { lifecycle, livenessProbe: liveness, readinessProbe: readiness, startupProbe: startup } = container;
  return [
    ...(lifecycle?.postStart ? validateHandler(lifecycle.postStart, rules, `${field}.lifecycle.postStart`) : []),
    ...(lifecycle?.preStop ? validateHandler(lifecycle.preStop, rules, `${field}.lifecycle.preStop`) : []),
    ...validateStopSignal(container, rules, `${field}.lifecycle`),
    ...(liveness
      ? [...validateProbe(liveness, rules, `${field}.livenessProbe`), ...onlyOneSuccess(liveness, `${field}.livenessProbe`)]
      : []),
    ...(readiness ? validateReadiness(readiness, rules, `${field}.readinessProbe`) : []),
    ...(startup ? [...validateProbe(startup, rules, `${field}.startupProbe`), ...onlyOneSuccess(startup, `${field}.startupProbe`)] : []),
  ];
}

function validateStopSignal({ lifecycle }: Container, { spec }: PodRules, field: string): FieldError[] {
  if (lifecycle?.stopSignal === undefined || spec.os?.name) return [];
  return [forbidden(`${field}.stopSignal`, 'may not be set for containers with empty `spec.os.name`')];
}

const onlyOneSuccess = ({ successThreshold = 0 }: Probe, field: string): FieldError[] =>
  successThreshold === 1 ? [] : [invalid(`${field}.successThreshold`, successThreshold, 'must be 1')];

function validateReadiness(probe: Probe, rules: PodRules, field: string): FieldError[] {
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...validateProbe(probe, rules, field),
    ...(grace === undefined ? [] : [invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes')]),
  ];
}

/** Source: validateProbe. */
function validateProbe(probe: Probe, rules: PodRules, field: string): FieldError[] {
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...validateHandler(probe, rules, field),
    ...nonNegative(`${field}.initialDelaySeconds`, probe.initialDelaySeconds),
    ...nonNegative(`${field}.timeoutSeconds`, probe.timeoutSeconds),
    ...nonNegative(`${field}.periodSeconds`, probe.periodSeconds),
    ...nonNegative(`${field}.successThreshold`, probe.successThreshold),
    ...nonNegative(`${field}.failureThreshold`, probe.failureThreshold),
    ...(grace !== undefined && grace <= 0 ? [invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')] : []),
  ];
}

const handlerRules: { readonly [K in keyof Handler]-?: (action: NonNullable<Handler[K]>, rules: PodRules, field: string) => FieldError[] } =
  {
    exec: ({ command }, _rules, field) => ((command ?? []).length === 0 ? [required(`${field}.command`)] : []),
    httpGet: validateHttpGet,
    tcpSocket: ({ port }, _rules, field) => validatePort(port, `${field}.port`),
    grpc: ({ port }, _rules, field) => validatePort(port, `${field}.port`),
    sleep: validateSleep,
  };

/** Exactly one action. Source: validateHandler. */
function validateHandler(handler: Handler, rules: PodRules, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let found = false;
  for (const key of Object.keys(handlerRules) as (keyof Handler)[]) {
    const action = handler[key];
    if (action === undefined || action === null) continue;
    const rule = handlerRules[key] as (action: unknown, rules: PodRules, field: string) => FieldError[];
    if (found) errors.push(forbidden(`${field}.${key}`, 'may not specify more than 1 handler type'));
    else errors.push(...rule(action, rules, `${field}.${key}`));
    found = true;
  }
  return found ? errors : [required(field, 'must specify a handler type')];
}

function validateHttpGet(
  { path = '', port, scheme = '', httpHeaders }: NonNullable<Handler['httpGet']>,
  _rules: PodRules,
  field: string,
): FieldError[] {
  return [
    ...(path === '' ? [required(`${field}.path`)] : []),
    ...validatePort(port, `${field}.port`),
    ...(scheme === 'HTTP' || scheme === 'HTTPS' ? [] : [notSupported(`${field}.scheme`, scheme, ['HTTP', 'HTTPS'])]),
    ...(httpHeaders ?? []).flatMap(({ name }) => check(`${field}.httpHeaders`, name ?? '', isHttpHeaderName)),
  ];
}

function validateSleep({ seconds }: NonNullable<Handler['sleep']>, { spec }: PodRules, field: string): FieldError[] {
  const grace = spec.terminationGracePeriodSeconds;
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  return [invalid(field, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)];
}

/** A number or the name of one. Source: ValidatePortNumOrName. */
export function validatePort(port: number | string | undefined, field: string): FieldError[] {
  if (typeof port === 'string') return check(field, port, isPortName);
  return isPortNumber(port ?? 0).map((reason) => invalid(field, port ?? 0, reason));
}
