import type { TableChanges, TableState } from './table-state.ts';

/** Elements in one command: a line of nft has a limit, and so has a netlink message. */
const ELEMENTS_MAX = 500;

/** `table` is the family and the name: `ip orrery-abc-proxy`. Empty when there is nothing to do. */
export function renderChanges(table: string, { chains, sets, elements }: TableChanges): string[] {
  const changed = [...chains];
  const gone = changed.filter(([, { after }]) => after === undefined).map(([name]) => name);
  const deleted = [...elements].flatMap(([id, { before }]) => (before === undefined ? [] : ([[id, before]] as const)));
  const added = [...elements].flatMap(([id, { after }]) => (after === undefined ? [] : ([[id, after]] as const)));
  return [
    ...[...sets].flatMap(([name, { before, after }]) =>
      before === undefined && after !== undefined ? [`add set ${table} ${name} { ${after} }`] : [],
    ),
    ...changed.filter(([, { before, after }]) => before === undefined && after !== undefined).map(([name]) => `add chain ${table} ${name}`),
    ...changed.filter(([, { before }]) => before !== undefined).map(([name]) => `flush chain ${table} ${name}`),
    ...changed.flatMap(([name, { after = [] }]) => after.map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...renderElements('delete', table, deleted),
    ...renderElements('add', table, added),
    ...gone.map((name) => `delete chain ${table} ${name}`),
    ...[...sets].flatMap(([name, { after }]) => (after === undefined ? [`delete set ${table} ${name}`] : [])),
  ];
}

/** Everything, in place of whatever is there. */
export function renderAll(table: string, skeleton: string, state: TableState): string[] {
  const programs = [...state.programs];
  const chains = programs.flatMap((program) => [...program.chains]);
  return [
    `add table ${table}`,
    `delete table ${table}`,
    `table ${table} {\n${skeleton}\n}`,
    ...programs.flatMap(({ sets }) => [...sets].map(([name, declaration]) => `add set ${table} ${name} { ${declaration} }`)),
    ...chains.map(([name]) => `add chain ${table} ${name}`),
    ...chains.flatMap(([name, rules]) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...renderElements('add', table, [...state.elements]),
  ];
}

function renderElements(verb: 'add' | 'delete', table: string, elements: readonly (readonly [id: string, value: string])[]): string[] {
  const byMap = new Map<string, string[]>();
  for (const [id, value] of elements) {
    const space = id.indexOf(' ');
    const map = id.slice(0, space);
    const key = id.slice(space + 1);
    const members = byMap.get(map) ?? [];
    byMap.set(map, members);
    members.push(value === '' ? key : `${key} : ${value}`);
  }
  return [...byMap].flatMap(([map, members]) =>
    Array.from({ length: Math.ceil(members.length / ELEMENTS_MAX) }, (_, part) => {
      const some = members.slice(part * ELEMENTS_MAX, (part + 1) * ELEMENTS_MAX);
      return `${verb} element ${table} ${map} { ${some.join(', ')} }`;
    }),
  );
}
