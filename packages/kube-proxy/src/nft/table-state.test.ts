import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Program, ProgramBuilder } from './program.ts';
import { TableState } from './table-state.ts';
import { renderAll, renderChanges } from './transaction.ts';

/** What a table holds after commands, with the complaints that nft would have. */
class ModelTable {
  readonly chains = new Map<string, string[]>();
  readonly elements = new Map<string, string>();

  run(lines: readonly string[]): void {
    for (const line of lines) this.#one(line);
    for (const target of [...this.elements.values(), ...[...this.chains.values()].flat()]) {
      const chain = /^goto (.+)$/.exec(target)?.[1];
      if (chain !== undefined) expect(this.chains.has(chain)).toBe(true);
    }
  }

  #one(line: string): void {
    const [verb = '', kind = '', , , name = '', ...rest] = line.split(' ');
    if (kind === 'chain') this.#chain(verb, name);
    else if (kind === 'rule') this.chains.get(name)?.push(rest.join(' '));
    else if (kind === 'element') for (const element of rest.slice(1, -1).join(' ').split(', ')) this.#element(verb, name, element);
  }

  #chain(verb: string, name: string): void {
    expect(this.chains.has(name)).toBe(verb !== 'add');
    if (verb === 'delete') this.chains.delete(name);
    else this.chains.set(name, []);
  }

  #element(verb: string, map: string, element: string): void {
    const [key = '', value = ''] = element.split(' : ');
    const id = `${map} ${key}`;
    if (verb === 'delete') {
      expect(this.elements.get(id)).toBe(value);
      this.elements.delete(id);
    } else {
      expect(this.elements.has(id)).toBe(false);
      this.elements.set(id, value);
    }
  }
}

const programs = fc.option(
  fc.record({
    rules: fc.array(fc.constantFrom('r1', 'r2', 'drop'), { maxLength: 3 }),
    keys: fc.subarray(['k1', 'k2', 'k3']),
    chain: fc.boolean(),
  }),
  { nil: undefined },
);
const batches = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), programs), { maxLength: 8 });

test('what changes add up to is what is written anew', () => {
  fc.assert(
    fc.property(batches, (steps) => {
      const state = new TableState();
      const table = new ModelTable();
      for (const step of steps) {
        const wanted = new Map(
          Object.entries(step).map(([owner, shape]): [string, Program | undefined] => {
            if (shape === undefined) return [owner, undefined];
            const program = new ProgramBuilder();
            const verdict = shape.chain ? program.chain(`svc-${owner}`, shape.rules) : 'drop';
            for (const key of shape.keys) program.element('services', key, verdict);
            program.element('hairpin', 'shared');
            return [owner, program];
          }),
        );
        table.run(renderChanges('ip t', state.replace(wanted)));
      }
      const anew = new ModelTable();
      anew.run(renderAll('ip t', '', state).slice(3));
      expect(table.chains).toEqual(anew.chains);
      expect(new Map([...table.elements].sort())).toEqual(new Map([...anew.elements].sort()));
    }),
  );
});
