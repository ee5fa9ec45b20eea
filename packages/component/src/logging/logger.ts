import type { Clock } from '@orrery/base';

/** In order of urgency. `debug` is for whoever looks for a fault. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: a constant sentence, and what varies as fields. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
  /** Whether a line of this level would be written: ask before computing costly fields. */
  enabled(level: LogLevel): boolean;
}

export interface LoggerOptions {
  /** Takes one line, newline included. Must not throw. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** @default 'info' */
  readonly level?: LogLevel;
  /** `text` is for people (`time LEVEL message key=value`), `json` one object a line. @default 'text' */
  readonly format?: 'text' | 'json';
}

const rank: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** A logger that costs nothing to load: a start-up imports no logging library. */
export function newLogger({ write, clock, level = 'info', format = 'text' }: LoggerOptions): Logger {
  const render = format === 'json' ? renderJson : renderText;
  const make = (bound: LogFields): Logger => {
    const at =
      (lineLevel: LogLevel) =>
      (message: string, fields?: LogFields): void => {
        if (rank[lineLevel] > rank[level]) return;
        write(render(new Date(clock.now()).toISOString(), lineLevel, message, fields === undefined ? bound : { ...bound, ...fields }));
      };
    return {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      with: (fields) => make({ ...bound, ...fields }),
      enabled: (asked) => rank[asked] <= rank[level],
    };
  };
  return make({});
}

const ignore = (): void => undefined;
/** Drops everything. For tests and for libraries whose caller gave no logger. */
export const silentLogger: Logger = {
  error: ignore,
  warn: ignore,
  info: ignore,
  debug: ignore,
  with: () => silentLogger,
  enabled: () => false,
};

function renderJson(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const line: Record<string, unknown> = { time, level, message };
  for (const [key, value] of Object.entries(fields)) line[key] = value instanceof Error ? describeError(value) : value;
  return `${stringify(line)}\n`;
}

function renderText(time: string, level: LogLevel, message: string, fields: LogFields): string {
  let line = `${time} ${level.toUpperCase()} ${message}`;
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) line += ` ${key}=${textOf(value)}`;
  return `${line.replaceAll('\n', '\\n')}\n`;
}

function textOf(value: unknown): string {
  if (value instanceof Error) return stringify(describeError(value));
  if (typeof value === 'string') return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  return stringify(value);
}

function describeError(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}; caused by ${describeError(error.cause)}` : own;
}

/** JSON that survives cycles and big integers: a log line never throws. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, child: unknown) => (typeof child === 'bigint' ? child.toString() : child)) ?? 'undefined';
  } catch {
    return JSON.stringify(String(value));
  }
}
