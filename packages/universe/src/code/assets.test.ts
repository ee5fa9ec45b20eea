import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageProblem } from '../options/settings.ts';
import { readAssets } from './assets.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'orrery-assets-'));
  await mkdir(join(root, 'public/img'), { recursive: true });
  await writeFile(join(root, 'public/index.html'), '<html>', { mode: 0o640 });
  await writeFile(join(root, 'public/img/a.svg'), '<svg/>', { mode: 0o644 });
  await symlink('a.svg', join(root, 'public/img/b.svg'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('a folder with all below it, each file once', async () => {
  const assets = await readAssets(root, ['public', 'public/index.html']);
  expect(assets.map(({ path, content, mode }) => [path, String(content), mode])).toEqual([
    ['public/img/a.svg', '<svg/>', 0o644],
    ['public/img/b.svg', '<svg/>', 0o644],
    ['public/index.html', '<html>', 0o640],
  ]);
});

test.each([
  ['what is not there', 'nothing', /^files "nothing": ENOENT/],
  ['what is outside', '../etc', /^files "\.\.\/etc": outside of /],
  ['what is elsewhere', '/etc/passwd', /^files "\/etc\/passwd": outside of /],
])('%s is refused', async (_, file, message) => {
  const problem = await readAssets(root, [file]).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(UsageProblem);
  expect((problem as Error).message).toMatch(message);
});
