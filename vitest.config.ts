import { defineConfig } from 'vitest/config';

// Packages export their sources under the condition "source", so tests need no build.
const conditions = ['source', 'node', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['node'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts', 'e2e/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most of the time of the end-to-end files is spent waiting: by default vitest takes one worker on two cores.
    maxWorkers: 2,
    // Real processes and real time on a busy CI machine: a test that failed is tried twice more there, and the report shows that it was.
    retry: process.env['CI'] === undefined ? 0 : 2,
  },
});
