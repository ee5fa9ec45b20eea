import { readFileSync } from 'node:fs';
import { newSeededRandom, type Random } from '@orrery/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type Answer, Asker, type AskOptions, accessOf } from '../support/https.ts';
import { anyHeaders, anyPatch, anyPath, anyQuery, bombs, damaged, garbled, patchTypes, type Target, targets } from './hostile.ts';

// CI asks the same every time, so that a change is judged by what it changed; everywhere else each run asks something new.
const fixed = process.env['CI'] === undefined ? undefined : '1905717298';
const seed = Number(process.env['ORRERY_FUZZ_SEED'] ?? fixed ?? Math.floor(Math.random() * 2 ** 31));
/** Each kind of attack goes on for so long. */
const SPAN_MS = Number(process.env['ORRERY_FUZZ_MS'] ?? '5000');
const AT_ONCE = 8;
/** What a server that keeps nothing of what it refused may have grown by. */
const GROWTH_MIB = 400;

let cluster: TestCluster;
let asker: Asker;
let pid: number;
let before: number;
const residentMiB = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

beforeAll(async () => {
  cluster = await startTestCluster();
  asker = new Asker(accessOf(cluster.kubeconfig));
  pid = (JSON.parse((await cluster.orrery(['status', '-o', 'json'])).stdout) as { pid: number }).pid;
  await cluster.kubectl(['create', 'namespace', 'fuzz']);
  before = residentMiB();
});
afterAll(async () => {
  asker.agent.destroy();
  await cluster.dispose();
});

/** Asks, and says what is wrong with the answer: not a Status where it refuses, a fault of the server, or none at all. */
async function judge(path: string, options: AskOptions): Promise<string | undefined> {
  const what = `${options.method ?? 'GET'} ${path.slice(0, 300)} ${JSON.stringify(options.headers)} ${options.body?.toString().slice(0, 2000) ?? ''}`;
  let answer: Answer;
  try {
    answer = await asker.ask(path, { timeoutMs: 10_000, ...options });
  } catch (error) {
    // A watch, or a log that is followed, has no end unless the request names one; begin it must.
    if (/[?&](watch|follow)=/.test(path) && String(error).includes('an answer without end')) return undefined;
    return `${what}: ${String(error)}`;
  }
  return answer.status < 400 ? undefined : refusal(answer, what);
}

function refusal({ status, headers, body }: Answer, what: string): string | undefined {
  const text = body.toString();
  const isStatus = headers['content-type']?.startsWith('application/vnd.kubernetes.protobuf')
    ? text.includes('Status')
    : /kind"?: ?"?Status/.test(text) || headers['content-type']?.includes('as=') === true;
  // 504 tells of a wait for a revision to come; other 5xx are faults of ours, but a proxy's of a pod that does not run.
  // A document that server-side apply cannot take as its type is 500 upstream too.
  const isUntyped = status === 500 && text.includes('failed to create typed patch object');
  const isFault =
    status >= 500 && status !== 504 && !isUntyped && !what.includes('proxy') && !what.includes('/log') && !what.includes('/exec');
  return isStatus && !isFault ? undefined : `${what}: ${status} ${text.slice(0, 500)}`;
}

async function attack(label: string, next: (random: Random, index: number) => readonly [string, AskOptions]): Promise<void> {
  const random = newSeededRandom(seed);
  const wrong: string[] = [];
  let asked = 0;
  const deadline = Date.now() + SPAN_MS;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (Date.now() < deadline && wrong.length < 5) {
        const [path, options] = next(random, asked);
        asked += 1;
        const told = await judge(path, options);
        if (told !== undefined) wrong.push(told);
      }
    }),
  );
  console.log(`fuzz: ${label}: ${asked} requests, seed ${seed}`);
  expect(wrong, `ORRERY_FUZZ_SEED=${seed}`).toEqual([]);
}

const target = (random: Random): Target => targets[random.integer(targets.length)] as Target;

describe(`whatever is sent, the answer is a Status (ORRERY_FUZZ_SEED=${seed})`, () => {
  test('bombs', { timeout: 120_000 }, async () => {
    for (const [type, body] of bombs)
      for (const [method, path] of [
        ['POST', '/api/v1/namespaces/fuzz/configmaps?dryRun=All&fieldValidation=Strict'],
        ['PATCH', '/api/v1/namespaces/fuzz/configmaps/a?fieldManager=x'],
        ['DELETE', '/api/v1/namespaces/fuzz/configmaps/a'],
      ] as const) {
        const told = await judge(path, {
          method,
          body: Buffer.from(body, type.endsWith('protobuf') ? 'latin1' : 'utf8'),
          headers: { 'content-type': type },
        });
        expect(told?.slice(0, 500)).toBeUndefined();
      }
  });

  test('bodies in JSON and YAML', { timeout: 60_000 }, () =>
    attack('bodies', (random, index) => {
      const { collection, sample } = target(random);
      const object = damaged(random, sample(`f${index % 50}`));
      const isYaml = random.integer(3) === 0;
      const bytes = Buffer.from(isYaml ? stringify(object) : (JSON.stringify(object) ?? ''));
      const body = random.integer(4) === 0 ? garbled(random, bytes) : bytes;
      const isUpdate = random.integer(3) === 0;
      const query = `?fieldValidation=${['Strict', 'Warn', 'Ignore'][random.integer(3)]}`;
      return [
        `${collection}${isUpdate ? `/f${index % 50}` : ''}${query}`,
        { method: isUpdate ? 'PUT' : 'POST', body, headers: { 'content-type': isYaml ? 'application/yaml' : 'application/json' } },
      ];
    }),
  );

  test('protobuf', { timeout: 60_000 }, async () => {
    const accept = { accept: 'application/vnd.kubernetes.protobuf' };
    const samples: (readonly [string, Buffer])[] = [];
    for (const { collection, sample } of targets) {
      await asker.json(collection, { method: 'POST', send: sample('seed') });
      samples.push([collection, (await asker.ask(`${collection}/seed`, { headers: accept })).body]);
    }
    expect(samples.every(([, bytes]) => bytes.subarray(0, 4).toString('latin1') === 'k8s\0')).toBe(true);
    await attack('protobuf', (random) => {
      const [collection, bytes] = samples[random.integer(samples.length)] ?? ['', Buffer.alloc(0)];
      const body =
        random.integer(3) === 0 ? Buffer.concat([bytes.subarray(0, 4), garbled(random, bytes.subarray(4))]) : garbled(random, bytes);
      const isUpdate = random.integer(2) === 0;
      const headers = { 'content-type': 'application/vnd.kubernetes.protobuf', ...(random.integer(2) === 0 ? accept : {}) };
      return [`${collection}${isUpdate ? '/seed' : ''}?dryRun=All`, { method: isUpdate ? 'PUT' : 'POST', body, headers }];
    });
  });

  test('patches of all four kinds', { timeout: 60_000 }, () =>
    attack('patches', (random) => {
      const { collection, sample } = target(random);
      const type = patchTypes[random.integer(4)] ?? '';
      const name = random.integer(8) === 0 ? 'absent' : 'seed';
      const text = anyPatch(random, type, sample(name));
      const body = random.integer(6) === 0 ? garbled(random, Buffer.from(text)) : text;
      const query = `?fieldManager=${random.integer(9) === 0 ? '' : 'fuzz'}&force=${random.integer(2) === 0}`;
      const part = ['', '', '', '/status', '/scale'][random.integer(5)];
      return [`${collection}/${name}${part}${query}`, { method: 'PATCH', body, headers: { 'content-type': type } }];
    }),
  );

  test('selectors, continue tokens, revisions and watch options', { timeout: 60_000 }, () =>
    attack('queries', (random) => {
      const { collection } = target(random);
      const query = anyQuery(random);
      // A watch that is accepted would last: a second is enough.
      const bounded = /watch=/.test(query) ? `${query}&timeoutSeconds=1` : query;
      return [`${collection}${random.integer(4) === 0 ? '/seed' : ''}${bounded}`, { headers: anyHeaders(random) }];
    }),
  );

  test('paths, methods and headers', { timeout: 60_000 }, () =>
    attack('paths', (random) => {
      const method = ['GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'][random.integer(8)] ?? 'GET';
      const path = anyPath(random);
      // Deleting whole collections is no fault, but would take what other attacks need; watches and logs last.
      const isLasting = /watch|log|exec|attach|portforward/.test(path);
      return [
        path,
        {
          method: method === 'DELETE' || isLasting ? 'GET' : method,
          headers: anyHeaders(random),
          ...(isLasting ? { timeoutMs: 15_000 } : {}),
        },
      ];
    }),
  );

  test('afterwards it is the same process, small and well', async () => {
    const { value } = await asker.json<{ kind: string }>('/api/v1/namespaces/fuzz/configmaps/after', { method: 'GET' });
    expect(value.kind).toBe('Status');
    expect((await asker.ask('/readyz')).body.toString()).toBe('ok');
    expect(residentMiB() - before).toBeLessThan(GROWTH_MIB);
    expect((JSON.parse((await cluster.orrery(['status', '-o', 'json'])).stdout) as { pid: number }).pid).toBe(pid);
    await cluster.kubectl(['create', 'deployment', 'well', '--image=none', '--', 'sleep', '600']);
    await cluster.kubectl(['wait', '--for=condition=Available', 'deploy/well', '--timeout=20s']);
    expect((await cluster.orrery(['logs'])).stdout).not.toMatch(/TypeError|RangeError|unhandled/i);
  });
});
