import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { realClients } from './clients.ts';

test('the real clients run', () => {
  const { kubectl, helm } = realClients();
  expect(execFileSync(kubectl, ['version', '--client'], { encoding: 'utf8' })).toContain('v1.35');
  expect(execFileSync(helm, ['version', '--short'], { encoding: 'utf8' })).toContain('v4.');
});
