import { type FieldError, forbidden, invalid, newBadRequest, newInvalid, notSupported, parseRfc3339 } from '@orrery/apimachinery';

/** Options of a log request. Source: core/v1 PodLogOptions. */
export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** @default 'All' */
  readonly stream: string;
}

/** Reads and checks the options. @throws StatusError BadRequest for what cannot be read, Invalid for what is out of range. */
export function logOptionsOf(query: URLSearchParams, podName: string): LogOptions {
  const sinceSeconds = integer(query, 'sinceSeconds');
  const tailLines = integer(query, 'tailLines');
  const limitBytes = integer(query, 'limitBytes');
  const sinceTime = query.get('sinceTime') ?? '';
  if (sinceTime !== '' && typeof parseRfc3339(sinceTime, 'seconds') === 'string') {
    throw newBadRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse it`);
  }
  const options: LogOptions = {
    container: query.get('container') ?? '',
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    stream: query.get('stream') || 'All',
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === '' ? {} : { sinceTime }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
  const errors = validate(options);
  if (errors.length > 0) throw newInvalid({ group: '', kind: 'PodLogOptions' }, podName, errors);
  return options;
}

/** Absent is false, present without a value is true, as `?follow`. */
function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

const streams = ['All', 'Stderr', 'Stdout'];

/** Source: ValidatePodLogOptions. */
function validate({ tailLines, limitBytes, sinceSeconds, sinceTime, stream }: LogOptions): FieldError[] {
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) errors.push(invalid('tailLines', tailLines, 'must be greater than or equal to 0'));
  if (limitBytes !== undefined && limitBytes < 1) errors.push(invalid('limitBytes', limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    errors.push(forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) errors.push(invalid('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  if (!streams.includes(stream)) errors.push(notSupported('stream', stream, streams));
  if (tailLines !== undefined && stream !== 'All') {
    errors.push(forbidden('', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  return errors;
}

/** The query that the node agent takes. */
export function logQuery(options: LogOptions): string {
  const query = new URLSearchParams();
  for (const name of ['follow', 'previous', 'timestamps'] as const) if (options[name]) query.set(name, 'true');
  for (const name of ['sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, `${value}`);
  }
  query.set('stream', options.stream);
  return query.toString();
}
