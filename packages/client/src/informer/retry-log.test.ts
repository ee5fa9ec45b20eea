import { StatusError } from '@orrery/apimachinery';
import { newVirtualClock } from '@orrery/base';
import { newLogger } from '@orrery/component';
import { expect, test } from 'vitest';
import { ConnectionError } from '../http/connection.ts';
import { newRetryLog } from './retry-log.ts';

test('a server out of reach is one short line a minute for all informers; other failures are told each', async () => {
  const clock = newVirtualClock();
  const lines: string[] = [];
  const tell = newRetryLog(newLogger({ clock, write: (line) => lines.push(line) }), clock);
  const cause = new ConnectionError('connect ECONNREFUSED', { cause: undefined, stage: 'connecting' });
  const lost = new StatusError('ServiceUnavailable', 'GET https://a: connect ECONNREFUSED', undefined, { cause });
  for (let informer = 0; informer < 20; informer++) tell(`r${informer}`, lost);
  expect(lines).toEqual([
    expect.stringMatching(/WARN the API server is out of reach; retrying error="GET https:..a: connect ECONNREFUSED"/),
  ]);
  expect(lines[0]?.length).toBeLessThan(200);
  await clock.advance(60_000);
  for (let informer = 0; informer < 20; informer++) tell(`r${informer}`, lost);
  expect(lines[1]).toContain('failures=20');
  tell('pods', new StatusError('Forbidden', 'no'));
  expect(lines.slice(2)).toEqual([expect.stringContaining('WARN list or watch failed; retrying resource=pods')]);
});
