import { Command } from 'commander'
import { expect, test } from 'vitest'

import { clusterOptionsProblem } from '../../../src/webhook/cluster/check-cluster-options.ts'
import { addServeOptions, type ServeOptions } from '../../../src/webhook/serve-options.ts'

function problemOf(line: string): string | undefined {
  const command = addServeOptions(new Command()).exitOverride()
  command.parse(line.split(' ').filter(Boolean), { from: 'user' })
  return clusterOptionsProblem(command.opts<ServeOptions>())
}

test.each([
  ['nothing at all', ''],
  ['the service account and everything that the chart gives', '--in-cluster --lease a --service-name a --tls-secret b'],
  ['an address by URL', '--kubeconfig x --webhook-url https://127.0.0.1:8443 --tls-secret b'],
  ['files of cert-manager', '--in-cluster --service-name a --tls-mode files --tls-cert a --tls-key b --ca-file c'],
  [
    'short lives',
    '--in-cluster --service-name a --tls-secret b --ca-validity 3h --leaf-validity 2h --rotate-before 1h',
  ],
  ['a port for scrapes that is any that is free, as that for requests', '--port 0 --metrics-port 0'],
])('%s is fine', (_, line) => {
  expect(problemOf(line)).toBeUndefined()
})

test.each([
  ['a lease without a cluster', '--lease a', '--lease needs a cluster: give --in-cluster or --kubeconfig FILE too.'],
  ['two clusters', '--in-cluster --kubeconfig x', '--in-cluster and --kubeconfig name two clusters: give one of them.'],
  [
    'two ways',
    '--in-cluster --service-name a --webhook-url https://a',
    '--service-name and --webhook-url are two ways to this server: give one of them.',
  ],
  [
    'a URL with a path',
    '--in-cluster --webhook-url https://a/validate',
    '--webhook-url is the address alone, such as https://meshward.example.com:8443; the paths are added.',
  ],
  [
    'a URL without TLS',
    '--in-cluster --webhook-url http://a',
    '--webhook-url is the address alone, such as https://meshward.example.com:8443; the paths are added.',
  ],
  ['files that are not named', '--tls-mode files', '--tls-mode files needs --tls-cert and --tls-key.'],
  [
    'a Secret to make and files to serve',
    '--in-cluster --service-name a --tls-secret b --tls-cert c --tls-key d',
    '--tls-secret is for --tls-mode self, which makes what is in it: leave it out, or --tls-cert and --tls-key.',
  ],
  [
    'a Secret for nobody',
    '--in-cluster --tls-secret b',
    '--tls-secret needs --service-name or --webhook-url, the name that its certificate is good for.',
  ],
  [
    'a rotation that never ends',
    '--in-cluster --service-name a --tls-secret b --leaf-validity 1h --rotate-before 60m',
    '--rotate-before is as long as --ca-validity or --leaf-validity: nothing would ever be new enough.',
  ],
  [
    'one port for two protocols',
    '--port 8443 --metrics-port 8443',
    '--metrics-port is the port of --port, which speaks HTTPS: give another, or leave it out and scrape that one.',
  ],
])('%s is refused in a sentence', (_, line, problem) => {
  expect(problemOf(line)).toBe(problem)
})
