import { defineConfig } from 'vitest/config'

// Two projects: `unit` is everything that runs in this process or over a loopback socket;
// `cluster` needs a real API server, which the harness builds and starts once for the whole run.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/cluster/**'], testTimeout: 20_000 } },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/cluster/harness/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
