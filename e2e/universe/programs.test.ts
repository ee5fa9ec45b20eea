import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { launchProgram, objectsIn } from './launcher.ts';
import { writeProgram } from './suite.ts';

const minutes = { timeout: 180_000 };

describe('programs of every kind', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.dispose());

  const newNamespace = async (): Promise<string> => {
    const name = `programs-${Date.now().toString(36)}`;
    await cluster.kubectl(['create', 'namespace', name]);
    await eventually(() => cluster.kubectl(['get', 'serviceaccount', 'default', '-n', name]));
    return name;
  };

  test('30 MB with files beside the code: streamed into the pod, whole', minutes, async () => {
    const namespace = await newNamespace();
    const program = await writeProgram(
      cluster.home,
      'main.mjs',
      `import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { universe } from '@orrery/universe';
await universe({ name: 'large', job: true, files: ['data', 'word.txt'] });
const data = readFileSync(new URL('./data/deep/random.bin', import.meta.url));
console.log(data.length, createHash('sha256').update(data).digest('hex'), readFileSync('word.txt', 'utf8'));
`,
    );
    const data = randomBytes(30_000_000);
    await mkdir(join(dirname(program), 'data/deep'), { recursive: true });
    await writeFile(join(dirname(program), 'data/deep/random.bin'), data);
    await writeFile(join(dirname(program), 'word.txt'), 'orrery');
    const launcher = launchProgram(cluster, program, ['--kubernetes', `--namespace=${namespace}`]);
    const hash = createHash('sha256').update(data).digest('hex');
    expect([await launcher.ended, launcher.stdout()], launcher.stderr()).toEqual([0, `30000000 ${hash} orrery\n`]);
    expect(await objectsIn(cluster, namespace)).toEqual([]);
  });

  test('TypeScript', minutes, async () => {
    const namespace = await newNamespace();
    const starter = await writeProgram(
      cluster.home,
      'start.mjs',
      "import { universe } from '@orrery/universe';\nawait universe({ name: 'typed', job: true, entry: process.argv[2] });\n",
    );
    const typed = join(dirname(starter), 'typed.ts');
    await writeFile(
      typed,
      "interface Word { readonly text: string }\nconst word: Word = { text: 'typed' };\nconsole.log(word.text satisfies string);\n",
    );
    const launcher = launchProgram(cluster, starter, [typed, '--kubernetes', `--namespace=${namespace}`]);
    expect([await launcher.ended, launcher.stdout()], launcher.stderr()).toEqual([0, 'typed\n']);
    expect(await objectsIn(cluster, namespace)).toEqual([]);
  });
});
