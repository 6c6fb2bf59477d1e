import { execFileSync } from 'node:child_process'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes } from '../harness/describe-cluster.ts'
import { createLauncher, type Launcher } from '../harness/launcher.ts'
import { bridge, createNetwork, type Network } from '../harness/network.ts'

describeNodes('the network of a cluster', () => {
  let launcher: Launcher
  let network: Network

  const ip = (...args: readonly string[]): string => {
    const [command = '', ...prefix] = network.prefix
    return execFileSync(command, [...prefix, 'ip', ...args], { encoding: 'utf8' })
  }
  const hardwareAddress = () => /link\/ether (\S+)/.exec(ip('link', 'show', 'dev', bridge))?.[1]

  beforeAll(async () => {
    launcher = createLauncher()
    network = await createNetwork(launcher)
  })
  afterAll(async () => {
    network?.close()
    await launcher?.close()
  })

  // Pods remember it; while one sends to another address than it is, nobody hears the pod.
  test('has the same gateway whatever pods are plugged in and out', () => {
    const before = hardwareAddress()
    expect(before).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
    ip('link', 'add', 'low', 'address', '00:00:00:00:00:02', 'type', 'veth', 'peer', 'name', 'other')
    ip('link', 'set', 'low', 'master', bridge, 'up')
    expect(hardwareAddress()).toBe(before)
    ip('link', 'delete', 'low')
    expect(hardwareAddress()).toBe(before)
  })
})
