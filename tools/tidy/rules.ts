import type { Source } from './sources.ts';
import { withoutComments } from './sources.ts';

export interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  /** True for files in which the pattern is allowed. */
  readonly allowed: (path: string) => boolean;
  readonly instead: string;
}

const isTest = (path: string): boolean => path.endsWith('.test.ts') || /\/(testing|conformance)\//.test(path);
const isTool = (path: string): boolean => !path.startsWith('packages/');
const isBench = (path: string): boolean => path.endsWith('/bench.ts');
const inBase = (path: string): boolean => path.startsWith('packages/base/');
const isMain = (path: string): boolean => path.endsWith('/main.ts');
/** What runs in a browser measures with the browser's clock. */
const isPage = (path: string): boolean => path.startsWith('packages/dashboard/page/');
/** Text of programs that run in a pod by themselves: nothing of ours is there to be given. */
const isPodProgram = (path: string): boolean => path.startsWith('packages/universe/src/pod/');

/** Calls that only one place may make, so that simulations own time, chance and the environment. */
export const rules: readonly Rule[] = [
  {
    name: 'wall clock',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|process\.hrtime/,
    allowed: (path) => inBase(path) || isPage(path) || isTool(path) || isTest(path) || isBench(path),
    instead: 'take a Clock',
  },
  {
    name: 'timers',
    pattern: /(?<![.\w])set(Timeout|Interval|Immediate)\(|from 'node:timers/,
    allowed: (path) => inBase(path) || isPodProgram(path) || isTool(path) || isTest(path) || isBench(path),
    instead: 'take a Clock',
  },
  {
    name: 'chance',
    pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/,
    allowed: (path) => inBase(path) || isTool(path) || isTest(path) || isBench(path),
    instead: 'take a Random',
  },
  {
    name: 'environment',
    pattern: /\bprocess\.(env|argv)\b/,
    allowed: (path) => isMain(path) || isPodProgram(path) || isTool(path) || isTest(path) || isBench(path),
    instead: 'read it in main.ts and pass it on',
  },
  {
    name: 'structuredClone',
    pattern: /\bstructuredClone\(/,
    allowed: () => false,
    instead: 'share immutable values; cloneJson for request bodies',
  },
  {
    name: 'any',
    pattern: /:\s*any\b|\bas any\b|<any>/,
    allowed: () => false,
    instead: 'unknown, and a check',
  },
  {
    name: 'suppressed check',
    pattern: /@ts-(ignore|nocheck|expect-error)/,
    allowed: isTest,
    instead: 'mend the type',
  },
  {
    name: 'deep import',
    pattern: /from '@orrery\/(?!api\/)[\w-]+\/(?!(?:conformance|testing|bench|launcher)')/,
    allowed: () => false,
    instead: 'export it from the package',
  },
  {
    name: 'kind test in generic code',
    pattern: /\bkind === '(Pod|Service|Deployment|Namespace|Node|Event)'/,
    allowed: (path) => !path.startsWith('packages/apiserver/') || isTest(path),
    instead: 'a property on the definition',
  },
  {
    name: 'shell',
    pattern: /shell: true|\bexecSync\b.*from 'node:child_process'|from 'child_process'/,
    allowed: isTool,
    instead: 'execFile or spawn with an argument list',
  },
];

/** `path:line: rule` for each use outside the allowed places. */
export function ruleViolations(all: readonly Source[]): string[] {
  return all.flatMap(({ path, text }) => {
    const applicable = rules.filter((rule) => !rule.allowed(path) && path !== 'tools/tidy/rules.ts' && path !== 'tools/tidy/tidy.test.ts');
    if (applicable.length === 0) return [];
    return withoutComments(text)
      .split('\n')
      .flatMap((line, index) =>
        applicable.filter((rule) => rule.pattern.test(line)).map((rule) => `${path}:${index + 1}: ${rule.name}: ${rule.instead}`),
      );
  });
}
