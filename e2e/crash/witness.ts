import type { Acknowledged, Known, Report, Resource, Write } from './protocol.ts';
import type { Seen, Watcher } from './watcher.ts';

/** What a list of everything says after a restart. */
export interface Listed {
  readonly revision: number;
  readonly objects: readonly Known[];
}

type Expected = Omit<Seen, 'revision'> & { readonly revision: number | undefined };

const eventTypes = { create: 'ADDED', update: 'MODIFIED', delete: 'DELETED' } as const;

/** Remembers what the load was told, and holds the server to it. */
export class Witness {
  /** Every violation, in words. */
  readonly violations: string[] = [];
  acknowledged = 0;
  doubtfulDone = 0;
  doubtfulNotDone = 0;
  readonly #state = new Map<string, Known>();
  readonly #expected: Record<Resource, Map<string, Expected[]>> = { configmaps: new Map(), pods: new Map() };
  readonly #revisions = new Map<number, string>();
  #newest = 0;

  known(): Known[] {
    return [...this.#state.values()];
  }

  /** What the load was told since the last restart, and what the server knows after it. */
  check({ acknowledged, doubtful, wrong }: Report, listed: Listed): void {
    this.violations.push(...wrong);
    const floor = this.#newest;
    for (const write of acknowledged) {
      if (write.revision !== undefined && write.revision <= floor)
        this.#fail(`${told(write)} was given revision ${write.revision}, but ${floor} had been seen before the server started`);
      this.#done(write);
    }
    if (listed.revision < this.#newest) this.#fail(`the list is of revision ${listed.revision}, but ${this.#newest} was acknowledged`);
    const found = new Map(listed.objects.map((each) => [each.name, each]));
    for (const write of doubtful) this.#settle(write, found.get(write.name));
    this.#compare(found);
    this.#newest = Math.max(this.#newest, listed.revision);
  }

  /** True when a watcher was told as many events as there were. */
  isComplete({ resource, seen }: Watcher): boolean {
    return seen.length >= [...this.#expected[resource].values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Exactly once, in order, nothing else. */
  checkWatcher({ resource, seen, errors }: Watcher, label: string): void {
    this.violations.push(...errors.map((each) => `${label}: ${each}`));
    let last = 0;
    const byName = new Map<string, Seen[]>();
    for (const event of seen) {
      if (event.revision <= last) this.#fail(`${label}: revision ${event.revision} came after ${last}`);
      last = event.revision;
      const ofName = byName.get(event.name);
      if (ofName === undefined) byName.set(event.name, [event]);
      else ofName.push(event);
    }
    for (const name of new Set([...byName.keys(), ...this.#expected[resource].keys()]))
      this.#compareEvents(label, name, this.#expected[resource].get(name) ?? [], byName.get(name) ?? []);
  }

  #compareEvents(label: string, name: string, expected: readonly Expected[], seen: readonly Seen[]): void {
    for (let index = 0; index < Math.max(expected.length, seen.length); index += 1) {
      const [want, got] = [expected[index], seen[index]];
      const same = want?.type === got?.type && want?.value === got?.value && (want?.revision ?? got?.revision) === got?.revision;
      if (same) continue;
      this.#fail(`${label}: event ${index} of ${name} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
      return;
    }
  }

  #done(write: Acknowledged): void {
    this.acknowledged += 1;
    this.#apply(write, write.revision);
  }

  #apply({ resource, name, verb, value }: Write, revision: number | undefined): void {
    if (revision !== undefined) {
      const other = this.#revisions.get(revision);
      if (other !== undefined) this.#fail(`revision ${revision} was given to ${other} and to ${name}=${value}`);
      this.#revisions.set(revision, `${name}=${value}`);
      this.#newest = Math.max(this.#newest, revision);
    }
    if (verb === 'delete') this.#state.delete(name);
    else this.#state.set(name, { resource, name, value, revision: `${revision}` });
    const events = this.#expected[resource];
    const event = { type: eventTypes[verb], name, value, revision };
    const ofName = events.get(name);
    if (ofName === undefined) events.set(name, [event]);
    else ofName.push(event);
  }

  /** Done or not done, and nothing else. */
  #settle(write: Write, found: Known | undefined): void {
    const before = this.#state.get(write.name);
    if (found?.value === before?.value && found?.revision === before?.revision) {
      this.doubtfulNotDone += 1;
      return;
    }
    const isDone = write.verb === 'delete' ? found === undefined : found?.value === write.value;
    if (!isDone) return; // Said by the comparison.
    this.doubtfulDone += 1;
    this.#apply(write, found === undefined ? undefined : Number(found.revision));
  }

  #compare(found: ReadonlyMap<string, Known>): void {
    for (const name of new Set([...found.keys(), ...this.#state.keys()])) {
      const [want, got] = [this.#state.get(name), found.get(name)];
      if (want?.value !== got?.value || want?.revision !== got?.revision)
        this.#fail(`${name} is ${JSON.stringify(got)}, but ${JSON.stringify(want)} was acknowledged`);
    }
  }

  #fail(text: string): void {
    if (this.violations.length < 20) this.violations.push(text);
  }
}

const told = ({ writer, verb, name, value }: Write): string => `writer ${writer}: ${verb} ${name}=${value}`;
