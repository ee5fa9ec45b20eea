/** One row of docs/conformance.md that names tests. */
export interface Claim {
  readonly behaviour: string;
  /** Relative to the repository. */
  readonly file: string;
  /** Titles of the suites that lead to the test, and its own. */
  readonly titles: readonly string[];
}

export interface Claims {
  readonly claims: readonly Claim[];
  /** Behaviours that no test shows. */
  readonly open: readonly string[];
  /** Rows that nobody can read. */
  readonly unreadable: readonly string[];
}

/** Rows are `| behaviour | upstream | [file] title › title<br>[file] title |`; `—` stands for no test. Files are link definitions. */
export function readClaims(markdown: string): Claims {
  const files = new Map([...markdown.matchAll(/^\[(\w+)\]: \.\.\/(\S+)$/gm)].map(([, name = '', file = '']) => [name, file]));
  const claims: Claim[] = [];
  const open: string[] = [];
  const unreadable: string[] = [];
  const rows = markdown.split('\n').filter((line) => line.startsWith('|') && !/^\| (Behaviour|---) \|/.test(line));
  for (const row of rows) {
    const [behaviour = '', upstream = '', shown = '', ...rest] = row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    if (behaviour === '' || upstream === '' || rest.length > 0) unreadable.push(row);
    else if (shown === '—') open.push(behaviour);
    else {
      for (const each of shown.split('<br>')) {
        const [, name = '', titles = ''] = /^\[(\w+)\] (.+)$/.exec(each) ?? [];
        const file = files.get(name);
        if (file === undefined) unreadable.push(row);
        else claims.push({ behaviour, file, titles: titles.split(' › ') });
      }
    }
  }
  return { claims, open, unreadable };
}

/** One line for each claim whose file or titles are not there, in their order. `read` gives undefined for a file that is not there. */
export function falseClaims({ claims, unreadable }: Claims, read: (file: string) => string | undefined): string[] {
  const wrong = claims.flatMap(({ behaviour, file, titles }) => {
    const text = read(file);
    if (text === undefined) return [`${behaviour}: ${file} is not there`];
    let at = 0;
    for (const title of titles) {
      const found = new RegExp(`\\(\\s*(['"\`])${escaped(title)}\\1,`).exec(text.slice(at));
      if (found === null) return [`${behaviour}: ${file} has no test “${title}”${at === 0 ? '' : ' there'}`];
      at += found.index + 1;
    }
    return [];
  });
  return [...unreadable.map((row) => `not understood: ${row}`), ...wrong];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
