import {
  type KubeList,
  type KubeObject,
  newInternalError,
  type Status,
  type StatusError,
  statusErrorFrom,
  type WatchEvent,
} from '@orrery/apimachinery';

/** An object or a list from the body of a successful response. @throws StatusError when it is not JSON. */
export function decodeBody(text: string): KubeObject | KubeList<KubeObject> {
  const value = parse(text) as KubeObject & Partial<KubeList<KubeObject>>;
  return value.items === undefined || value.items === null ? withItems(value) : withTypedItems(value as KubeList<KubeObject>);
}

/** Go servers write an empty list as `items: null`. */
function withItems(value: KubeObject & Partial<KubeList<KubeObject>>): KubeObject | KubeList<KubeObject> {
  return value.items === null ? { ...value, items: [] } : value;
}

/** Servers leave kind and apiVersion out of the items of a list of a known kind: they follow from the list's. The items are ours to complete. */
function withTypedItems(list: KubeList<KubeObject>): KubeList<KubeObject> {
  if (!list.kind.endsWith('List') || list.items[0]?.kind !== undefined) return list;
  const kind = list.kind.slice(0, -'List'.length);
  return { ...list, items: list.items.map((item) => ({ ...item, apiVersion: list.apiVersion, kind })) };
}

/** The error of a response of 400 and above: the Status in its body, or what can be said without one. */
export function decodeError(code: number, text: string): StatusError {
  const status = statusIn(text);
  if (status !== undefined) return statusErrorFrom(status, code);
  const shown = text.trim().slice(0, 2048);
  return statusErrorFrom({ message: shown === '' ? `the server answered ${code} without an explanation` : shown }, code);
}

function statusIn(text: string): Partial<Status> | undefined {
  try {
    const value = JSON.parse(text) as Partial<Status> | null;
    return value !== null && typeof value === 'object' && value.kind === 'Status' ? value : undefined;
  } catch {
    return undefined; // A proxy's page, not an API server's answer.
  }
}

/** The events of some lines of a watch, and the error that ended it, if one did. */
export function decodeEvents(lines: readonly string[]): {
  readonly events: readonly WatchEvent<KubeObject>[];
  readonly error?: StatusError;
} {
  const events: WatchEvent<KubeObject>[] = [];
  for (const line of lines) {
    const event = parse(line) as { readonly type: string; readonly object: unknown };
    if (event.type === 'ERROR') return { events, error: statusErrorFrom(event.object as Partial<Status>) };
    events.push(event as WatchEvent<KubeObject>);
  }
  return { events };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw newInternalError(new Error(`the server's answer is not JSON: ${text.slice(0, 200)}`, { cause }));
  }
}

const warningPattern = /299 \S+ "((?:[^"\\]|\\.)*)"/g;

/** Texts of the `Warning` headers. */
export function warningsIn(header: string | undefined): string[] {
  return [...(header ?? '').matchAll(warningPattern)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'));
}
