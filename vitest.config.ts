import { defineConfig } from 'vitest/config'

// What is awaited comes at once on an idle machine; the limit is for one that has other work.
const expect = { poll: { timeout: 10_000 } }

// What is not there yet is built first.
const onClusters = { testTimeout: 60_000, hookTimeout: 1_800_000, expect }

// Three projects: `unit` is everything that runs in this process or over a loopback socket; `cluster` needs a real API server, which
// the harness builds and starts once for the whole run; `nodes` are tests on clusters with nodes, each file on one of its own, and of
// the chart. They wait for clocks more than they work, so two files run at a time, and `npm test` runs them beside the other two.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/cluster/**'],
          testTimeout: 60_000,
          expect,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/*.test.ts'],
          globalSetup: ['test/cluster/harness/global-setup.ts'],
          fileParallelism: false,
          ...onClusters,
        },
      },
      {
        test: {
          name: 'nodes',
          include: ['test/cluster/*/**/*.test.ts'],
          globalSetup: ['test/cluster/harness/nodes-setup.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...onClusters,
        },
      },
    ],
  },
})
