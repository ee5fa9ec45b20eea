import type { Job } from '@orrery/api/batch/v1';
import { expect, test } from 'vitest';
import { expiresAtMs } from './expiry.ts';

const END = '2026-01-01T00:00:00Z';
const job = (ttl: number | undefined, type: string, more: object = {}): Job =>
  ({
    metadata: { name: 'j', ...more },
    spec: ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl },
    status: { conditions: [{ type, status: 'True', lastTransitionTime: END }] },
  }) as unknown as Job;

test.each([
  ['complete', job(10, 'Complete'), Date.parse(END) + 10_000],
  ['failed, at once', job(0, 'Failed'), Date.parse(END)],
  ['not finished', job(10, 'Suspended'), undefined],
  ['no limit', job(undefined, 'Complete'), undefined],
  ['being deleted', job(10, 'Complete', { deletionTimestamp: END }), undefined],
])('%s', (_, given, expected) => expect(expiresAtMs(given)).toBe(expected));
