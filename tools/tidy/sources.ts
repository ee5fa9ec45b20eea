import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../generate/source.ts';
import type { PackageImports } from './layers.ts';

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every source file that git knows or would take (generated output is ignored by git). */
export function sources(): readonly Source[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.mjs', '*.cjs'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((path) => path !== '')
    .flatMap((path) => {
      try {
        return [{ path, text: readFileSync(join(root, path), 'utf8') }];
      } catch {
        return []; // Deleted in the work tree, not yet committed.
      }
    });
}

/** Source without comments, so that prose is not taken for code. Strings stay: `//` inside one is rare enough. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/(^|\s)\/\/[^\n]*/g, '$1');
}

const importPattern = /(?:from|import)\s*\(?\s*'((?:@orrery\/[\w-]+)|orrery)(?:\/[^']*)?'/g;

export function packageImports(all: readonly Source[]): readonly PackageImports[] {
  const folders = [...new Set(all.map(({ path }) => /^packages\/([\w-]+)\//.exec(path)?.[1]).filter((name) => name !== undefined))];
  return folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as {
      name: string;
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    const own = all.filter(({ path }) => path.startsWith(`packages/${folder}/`));
    const imports = new Set(own.flatMap(({ text }) => [...withoutComments(text).matchAll(importPattern)].map((match) => match[1] ?? '')));
    imports.delete(manifest.name);
    return {
      name: manifest.name,
      dependencies: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
        (name) => name === 'orrery' || name.startsWith('@orrery/'),
      ),
      imports: [...imports],
    };
  });
}
