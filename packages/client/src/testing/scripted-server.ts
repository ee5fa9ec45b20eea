import { apiVersionOf, type KubeList, type KubeObject, newNotFound, StatusError, type WatchEvent } from '@orrery/apimachinery';
import type { Random } from '@orrery/base';
import type { ApiRequest, Transport } from '../transport.ts';

/** How often, in [0, 1], the server misbehaves. */
export interface Faults {
  /** A list or the start of a watch fails with 500, 503 or 429. */
  readonly refuse?: number;
  /** A watch ends after a batch: cleanly, or with a broken connection. */
  readonly drop?: number;
  /** A watch starts with 410 although its revision is still there. */
  readonly expire?: number;
}

export interface ScriptedServer {
  readonly transport: Transport;
  readonly revision: number;
  /** Requests seen, oldest first. */
  readonly requests: readonly ApiRequest[];
  put(name: string, fields?: { readonly uid?: string; readonly labels?: Record<string, string> }): void;
  remove(name: string): void;
  objects(): readonly KubeObject[];
  /** Forgets history: older watches get 410. */
  compact(): void;
  /** Ends every open watch with an error. */
  breakWatches(): void;
  faults: Faults;
  /** Answers `sendInitialEvents` with 422, as servers before it existed. */
  refusesInitialEvents: boolean;
  bookmark(): void;
}

interface Change {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

/** One resource in memory with history, to drive reflectors through faults that a real server has seldom. Test code only. */
export function newScriptedServer(random: Random): ScriptedServer {
  return new Scripted(random);
}

class Scripted implements ScriptedServer {
  readonly requests: ApiRequest[] = [];
  faults: Faults = {};
  refusesInitialEvents = false;
  revision = 1;
  readonly #random: Random;
  readonly #objects = new Map<string, KubeObject>();
  #history: Change[] = [];
  #compacted = 0;
  #watchers = new Set<{ notify: () => void; broken: boolean; bookmark: boolean }>();
  #uids = 0;
  readonly transport: Transport;

  constructor(random: Random) {
    this.#random = random;
    this.transport = {
      send: async (request) => this.#send(request),
      watch: (request, signal) => this.#watch(request, signal),
      raw: async () => {
        throw new StatusError('NotFound', 'no raw requests here');
      },
      close: async () => {},
    };
  }

  objects(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  put(name: string, fields: { readonly uid?: string; readonly labels?: Record<string, string> } = {}): void {
    const old = this.#objects.get(name);
    this.#uids += 1;
    const uid = fields.uid ?? old?.metadata.uid ?? `uid-${this.#uids}`;
    if (old !== undefined && old.metadata.uid !== uid) this.remove(name);
    const replaced = this.#objects.get(name);
    this.revision += 1;
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: 'default',
        uid,
        creationTimestamp: '2026-01-01T00:00:00Z',
        resourceVersion: String(this.revision),
        ...(fields.labels === undefined ? {} : { labels: fields.labels }),
      },
    };
    this.#objects.set(name, object);
    this.#record({ revision: this.revision, type: replaced === undefined ? 'ADDED' : 'MODIFIED', object });
  }

  remove(name: string): void {
    const object = this.#objects.get(name);
    if (object === undefined) return;
    this.revision += 1;
    this.#objects.delete(name);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } };
    this.#record({ revision: this.revision, type: 'DELETED', object: last });
  }

  compact(): void {
    this.#compacted = this.revision;
    this.#history = [];
  }

  breakWatches(): void {
    for (const watcher of this.#watchers) {
      watcher.broken = true;
      watcher.notify();
    }
  }

  bookmark(): void {
    for (const watcher of this.#watchers) {
      watcher.bookmark = true;
      watcher.notify();
    }
  }

  #record(change: Change): void {
    this.#history.push(change);
    for (const watcher of this.#watchers) watcher.notify();
  }

  #chance(rate: number | undefined): boolean {
    return rate !== undefined && this.#random.float() < rate;
  }

  #refuse(): void {
    if (!this.#chance(this.faults.refuse)) return;
    const reasons = ['InternalError', 'ServiceUnavailable', 'TooManyRequests'] as const;
    throw new StatusError(reasons[this.#random.integer(reasons.length)] ?? 'InternalError', 'scripted failure');
  }

  #send(request: ApiRequest): KubeObject | KubeList<KubeObject> {
    this.requests.push(request);
    this.#refuse();
    if (request.verb === 'get') {
      const object = this.#objects.get(request.name ?? '');
      if (object === undefined) throw newNotFound(request, request.name ?? '');
      return object;
    }
    if (request.verb !== 'list') throw new StatusError('MethodNotAllowed', `no ${request.verb} here`);
    const items = this.objects().filter(selectedBy(request));
    const from = Number(request.options?.continue?.split('/')[1] ?? 0);
    const revision = Number(request.options?.continue?.split('/')[0] ?? this.revision);
    if (revision < this.revision) throw new StatusError('Expired', 'the continue token is too old');
    const to = from + (request.options?.limit ?? items.length);
    const token = to < items.length ? { continue: `${revision}/${to}` } : {};
    return {
      apiVersion: apiVersionOf(request),
      kind: 'ConfigMapList',
      metadata: { resourceVersion: String(revision), ...token },
      items: items.slice(from, to),
    };
  }

  async *#watch(request: ApiRequest, signal?: AbortSignal): AsyncIterable<readonly WatchEvent<KubeObject>[]> {
    this.requests.push(request);
    this.#refuse();
    const options = request.options ?? {};
    let seen = Number(options.resourceVersion ?? 0);
    if (options.sendInitialEvents === true) {
      if (this.refusesInitialEvents) throw new StatusError('Invalid', 'sendInitialEvents is forbidden');
      seen = this.revision;
      const initial = this.objects()
        .filter(selectedBy(request))
        .map((object): WatchEvent<KubeObject> => ({ type: 'ADDED', object }));
      for (let at = 0; at < initial.length; at += 10) yield initial.slice(at, at + 10);
      if (this.#chance(this.faults.drop)) throw new StatusError('ServiceUnavailable', 'dropped in the initial state');
      yield [bookmarkAt(seen, { 'k8s.io/initial-events-end': 'true' })];
    } else if (seen < this.#compacted || this.#chance(this.faults.expire)) {
      throw new StatusError('Expired', `too old resource version: ${seen} (${this.#compacted})`);
    }
    for await (const batch of this.#follow(seen, signal)) {
      const selected = batch.filter(({ type, object }) => type === 'BOOKMARK' || selectedBy(request)(object));
      if (selected.length > 0) yield selected;
    }
  }

  async *#follow(from: number, signal?: AbortSignal): AsyncIterable<readonly WatchEvent<KubeObject>[]> {
    let seen = from;
    let wake = () => {};
    const watcher = { notify: () => wake(), broken: false, bookmark: false };
    this.#watchers.add(watcher);
    signal?.addEventListener('abort', () => wake());
    try {
      while (signal?.aborted !== true) {
        if (watcher.broken) throw new StatusError('ServiceUnavailable', 'the connection broke');
        if (seen < this.#compacted) throw new StatusError('Expired', 'compacted while watching');
        const events = this.#history.filter(({ revision }) => revision > seen);
        if (events.length > 0) {
          seen = events.at(-1)?.revision ?? seen;
          yield events.map(({ type, object }) => ({ type, object }));
          if (!this.#chance(this.faults.drop)) continue;
          if (this.#chance(0.5)) return;
          throw new StatusError('ServiceUnavailable', 'scripted drop');
        }
        if (watcher.bookmark) {
          watcher.bookmark = false;
          seen = this.revision;
          yield [bookmarkAt(seen)];
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#watchers.delete(watcher);
    }
  }
}

/** Knows one field: `metadata.name`. */
const selectedBy =
  ({ options }: ApiRequest) =>
  ({ metadata }: KubeObject): boolean =>
    options?.fieldSelector === undefined || options.fieldSelector === `metadata.name=${metadata.name}`;

const bookmarkAt = (revision: number, annotations?: Record<string, string>): WatchEvent<KubeObject> => ({
  type: 'BOOKMARK',
  object: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: '',
      uid: '',
      creationTimestamp: '',
      resourceVersion: String(revision),
      ...(annotations === undefined ? {} : { annotations }),
    },
  },
});
