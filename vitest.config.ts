import { defineConfig } from 'vitest/config'

// What is awaited comes at once on an idle machine; the limit is for one that has other work.
const expect = { poll: { timeout: 10_000 } }

const onCluster = {
  globalSetup: ['test/cluster/harness/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 1_800_000,
  fileParallelism: false,
  expect,
}

// Three projects: `unit` is everything that runs in this process or over a loopback socket; `cluster` needs a real API server, which
// the harness builds and starts once for the whole run; `nodes` are tests on clusters with nodes, and of the chart. They wait for
// clocks more than they work, so `npm test` runs them beside the other two.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/cluster/**'],
          testTimeout: 20_000,
          expect,
        },
      },
      { test: { name: 'cluster', include: ['test/cluster/*.test.ts'], ...onCluster } },
      { test: { name: 'nodes', include: ['test/cluster/*/**/*.test.ts'], ...onCluster } },
    ],
  },
})
