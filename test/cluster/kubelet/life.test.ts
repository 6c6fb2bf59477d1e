import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'

import { Log } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { kubectlOutput } from '../harness/kubectl.ts'
import { image, isOver, isReady, mainStatus, openWorkbench, type Workbench } from './workbench.ts'

describeNodes('pods of the small kubelet', () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await openWorkbench()
  })
  afterAll(() => bench.cluster.stop())

  const kubectl = (args: readonly string[]) => bench.cluster.kubectl([...args, '-n', bench.namespace])
  /** Deletes a pod and says how long that took, in seconds. */
  const deletion = async (name: string, ...args: readonly string[]): Promise<number> => {
    const started = performance.now()
    const { code, stderr } = await kubectl(['delete', 'pod', name, ...args])
    expect({ code, stderr: stderr.replace(/^Warning: Immediate.*\n/, '') }).toEqual({ code: 0, stderr: '' })
    return (performance.now() - started) / 1000
  }

  test('succeed when their container does, fail when it fails, and are not started again when they should not be', async () => {
    for (const [name, code] of [
      ['good', 0],
      ['bad', 3],
    ] as const) {
      await bench.runPod(name, `exit ${code}`, { spec: { restartPolicy: 'Never' } })
      const pod = await bench.waitFor(name, 'over', isOver)
      expect({
        phase: pod.status?.phase,
        code: mainStatus(pod)?.state?.terminated?.exitCode,
        reason: mainStatus(pod)?.state?.terminated?.reason,
        restarts: mainStatus(pod)?.restartCount,
      }).toEqual({
        phase: code === 0 ? 'Succeeded' : 'Failed',
        code,
        reason: code === 0 ? 'Completed' : 'Error',
        restarts: 0,
      })
    }
  })

  test('start a container again that ended, each time a little later, and keep the log of the time before', async () => {
    await bench.runPod('crashing', 'date +%s%N >> /shared/starts; cat /shared/starts; exit 1', {
      spec: { volumes: [{ name: 'shared', emptyDir: {} }] },
      container: { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] },
    })
    const pod = await bench.waitFor(
      'crashing',
      'backing off after three restarts',
      (current) =>
        (mainStatus(current)?.restartCount ?? 0) >= 3 &&
        mainStatus(current)?.state?.waiting?.reason === 'CrashLoopBackOff',
    )
    expect(mainStatus(pod)?.lastState?.terminated?.exitCode).toBe(1)
    // Each log tells the starts so far. Between the two reads it may start again, and then have said nothing yet.
    const starts = await eventually({ what: 'the logs of two starts', within: 20_000 }, async () => {
      const previous = await bench.logs('crashing', '--previous')
      const last = await bench.logs('crashing')
      return last.startsWith(previous) && last.length > previous.length
        ? last.trim().split('\n').map(Number)
        : undefined
    })
    expect(starts.length).toBeGreaterThan(3)
    // The restarts come at once, after 1, 2 and 4 seconds.
    for (const [index, seconds] of [0, 1, 2].entries())
      expect(Number(starts[index + 1]) - Number(starts[index])).toBeGreaterThan(seconds * 1e9)
    await deletion('crashing')
  })

  test('run their init containers one after the other, and their containers after those', async () => {
    const init = (name: string, shell: string) => ({ name, image, command: ['sh', '-c', shell], volumeMounts })
    const volumeMounts = [{ name: 'shared', mountPath: '/shared' }]
    await bench.runPod('initialized', 'cat /shared/steps', {
      spec: {
        restartPolicy: 'Never',
        volumes: [{ name: 'shared', emptyDir: {} }],
        initContainers: [init('one', 'sleep 0.3; echo one > /shared/steps'), init('two', 'echo two >> /shared/steps')],
      },
      container: { volumeMounts },
    })
    const pod = await bench.waitFor('initialized', 'over', isOver)
    expect(pod.status?.phase).toBe('Succeeded')
    expect(await bench.logs('initialized')).toBe('one\ntwo\n')
  })

  test('fail when an init container fails', async () => {
    const initContainers = [{ name: 'broken', image, command: ['false'] }]
    await bench.runPod('uninitialized', 'true', { spec: { restartPolicy: 'Never', initContainers } })
    const pod = await bench.waitFor('uninitialized', 'over', isOver)
    expect(pod.status?.phase).toBe('Failed')
    expect(mainStatus(pod)?.state?.terminated).toBeUndefined()
  })

  test('are ready when their readiness probe says so, and not ready again when it stops', async () => {
    const serve = `require('node:http').createServer((request, response) => {
      if (request.url === '/toggle') globalThis.sick = !globalThis.sick
      response.writeHead(globalThis.sick ? 503 : 200).end()
    }).listen(8080)`
    await bench.runPod('probed', '', {
      container: {
        command: ['/nodejs/bin/node', '-e', serve],
        ports: [{ name: 'http', containerPort: 8080 }],
        readinessProbe: {
          httpGet: { path: '/', port: 'http' },
          periodSeconds: 1,
          timeoutSeconds: 10,
          failureThreshold: 1,
        },
      },
    })
    const { status } = await bench.waitFor('probed', 'ready', isReady)
    const port = await bench.cluster.expose(status?.podIP ?? '', 8080)
    await fetch(`http://127.0.0.1:${port}/toggle`)
    const pod = await bench.waitFor('probed', 'not ready', (current) => !isReady(current))
    expect(mainStatus(pod)).toMatchObject({ ready: false, started: true, restartCount: 0 })
    await fetch(`http://127.0.0.1:${port}/toggle`)
    await bench.waitFor('probed', 'ready again', isReady)
    await deletion('probed')
  })

  test('have a container started again that is not live, and give one time that has a startup probe', async () => {
    const exec = (file: string) => ({
      exec: { command: ['test', '-e', file] },
      periodSeconds: 1,
      timeoutSeconds: 10,
      failureThreshold: 2,
    })
    await bench.runPod('dying', 'touch /tmp/alive; sleep 2; rm /tmp/alive; sleep 60', {
      container: { livenessProbe: exec('/tmp/alive') },
    })
    await bench.runPod('slow', 'sleep 3; touch /tmp/alive; sleep 60', {
      container: { startupProbe: { ...exec('/tmp/alive'), failureThreshold: 10 }, livenessProbe: exec('/tmp/alive') },
    })
    await bench.waitFor('slow', 'started', (pod) => mainStatus(pod)?.started === true)
    await bench.waitFor('dying', 'restarted', (pod) => (mainStatus(pod)?.restartCount ?? 0) > 0)
    expect(mainStatus(await bench.pod('slow'))?.restartCount).toBe(0)
    await deletion('dying', '--force', '--grace-period=0')
    await deletion('slow', '--force', '--grace-period=0')
  })

  const isUp = { exec: { command: ['test', '-e', '/tmp/up'] }, periodSeconds: 1, timeoutSeconds: 10 }
  const ignoring = 'trap "" TERM; touch /tmp/up; while :; do sleep 0.1; done'

  test('are asked to end by SIGTERM after their preStop hook, and have their say until they do', async () => {
    await bench.runPod(
      'polite',
      'trap "cat /tmp/hook; echo ended; exit 0" TERM; echo up; touch /tmp/up; while :; do sleep 0.1; done',
      {
        spec: { terminationGracePeriodSeconds: 20 },
        container: {
          readinessProbe: isUp,
          lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo hook > /tmp/hook'] } } },
        },
      },
    )
    await bench.waitFor('polite', 'ready', isReady)
    const log = new PassThrough()
    await new Log(bench.cluster.client).log(bench.namespace, 'polite', 'main', log, { follow: true })
    expect(await deletion('polite')).toBeLessThan(20)
    expect(await text(log)).toBe('up\nhook\nended\n')
  })

  test('are killed when they have not ended within their grace period', async () => {
    await bench.runPod('stubborn', ignoring, {
      spec: { terminationGracePeriodSeconds: 2 },
      container: { readinessProbe: isUp },
    })
    await bench.waitFor('stubborn', 'ready', isReady)
    const seconds = await deletion('stubborn')
    expect(seconds).toBeGreaterThan(2)
    expect(seconds).toBeLessThan(30)
  })

  test('are gone at once when they are deleted by force', async () => {
    await bench.runPod('forced', ignoring, {
      spec: { terminationGracePeriodSeconds: 60 },
      container: { readinessProbe: isUp },
    })
    const pod = await bench.waitFor('forced', 'ready', isReady)
    const pid = Number(mainStatus(pod)?.containerID?.replace('process://', ''))
    expect(process.kill(pid, 0)).toBe(true)
    await deletion('forced', '--force', '--grace-period=0')
    await eventually({ what: 'an ended process', within: 30_000 }, () => {
      try {
        return process.kill(pid, 0) ? undefined : true
      } catch {
        return true
      }
    })
  })

  test('of a Job count for it, and go with it', async () => {
    const job = (name: string, shell: string) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: {
        backoffLimit: 0,
        template: {
          spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, command: ['sh', '-c', shell] }] },
        },
      },
    })
    await bench.apply(job('works', 'true'), job('breaks', 'false'))
    const wait = (name: string, condition: string) =>
      kubectlOutput(kubectl, ['wait', `job/${name}`, `--for=condition=${condition}`, '--timeout=30s'])
    await Promise.all([wait('works', 'Complete'), wait('breaks', 'Failed')])
    await kubectlOutput(kubectl, ['delete', 'job', 'works', 'breaks'])
    await eventually({ what: 'no pods of jobs', within: 30_000 }, async () => {
      const names = await kubectlOutput(kubectl, ['get', 'pods', '-l', 'job-name', '-o', 'name'])
      return names === '' ? true : undefined
    })
  })
})
