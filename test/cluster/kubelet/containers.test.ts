import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { isOver, isReady, mainStatus, openWorkbench, type Workbench } from './workbench.ts'

describeNodes('containers of the small kubelet', () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await openWorkbench()
    await bench.apply(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'settings' },
        data: { colour: 'green', 'a.yaml': 'a: 1' },
      },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { token: 'first' } },
    )
  })
  afterAll(() => bench.cluster.stop())

  /** What a pod prints that runs to its end. */
  const outputOf = async (name: string, shell: string, parts: Parameters<Workbench['runPod']>[2] = {}) => {
    await bench.runPod(name, shell, { ...parts, spec: { restartPolicy: 'Never', ...parts.spec } })
    await bench.waitFor(name, 'over', isOver)
    return bench.logs(name)
  }

  test('get their environment from values, fields, resources, Secrets and ConfigMaps, and refer to what came before', async () => {
    const output = await outputOf(
      'environment',
      'echo "$PLAIN $COMBINED $POD $COLOUR $SET_token $MEMORY $ABSENT. $(ip -4 -o addr show eth0 | grep -c " $IP/")"',
      {
        container: {
          resources: { limits: { memory: '128Mi' } },
          envFrom: [
            { secretRef: { name: 'keys' }, prefix: 'SET_' },
            { configMapRef: { name: 'no-such', optional: true } },
          ],
          env: [
            { name: 'PLAIN', value: 'plain' },
            { name: 'COMBINED', value: '<$(PLAIN)|$$(PLAIN)|$(UNKNOWN)>' },
            { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
            { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
            { name: 'ABSENT', valueFrom: { secretKeyRef: { name: 'keys', key: 'none', optional: true } } },
          ],
        },
      },
    )
    expect(output).toBe('plain <plain|$(PLAIN)|$(UNKNOWN)> environment green first 128 . 1\n')
  })

  test('run as the user of their image, or of their security context, with nothing but what they are allowed', async () => {
    const shell = 'id -u; id -g; id -G; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status | tr -s "\\t\\n" " "'
    expect(await outputOf('image-user', 'id -u; id -g')).toBe('65532\n65532\n')
    const parts = {
      spec: { securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000 } },
      container: { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
    }
    expect(await outputOf('restricted', shell, parts)).toBe(
      '1000\n2000\n2000 3000\nCapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 ',
    )
  })

  test('that must not be root are not started with an image that is, and say why', async () => {
    const securityContext = { runAsNonRoot: true, runAsUser: 0 }
    await bench.runPod('root', 'true', { container: { securityContext } })
    const pod = await bench.waitFor(
      'root',
      'refused',
      (current) => (mainStatus(current)?.state?.waiting?.message ?? '') !== '',
    )
    expect(mainStatus(pod)?.state?.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'container has runAsNonRoot and image will run as root',
    })
  })

  test('see their image and the system read-only, and nothing else of the machine', async () => {
    const shell = 'ls /; chmod 700 /usr /nodejs/bin/node 2>&1 | grep -c "Read-only"; touch /tmp/z && echo written'
    expect(await outputOf('root-folder', shell, { spec: { securityContext: { runAsUser: 0 } } })).toMatch(
      /^bin\ndev\netc\n(lib\w*\n)+nodejs\nproc\nrun\nsbin\ntmp\nusr\nvar\n2\nwritten\n$/,
    )
  })

  test('with a read-only root can write to their volumes alone', async () => {
    const parts = {
      spec: { volumes: [{ name: 'work', emptyDir: {} }] },
      container: {
        securityContext: { readOnlyRootFilesystem: true },
        volumeMounts: [{ name: 'work', mountPath: '/scratch' }],
      },
    }
    expect(
      await outputOf('read-only', 'touch /tmp/x 2>/dev/null || echo refused; touch /scratch/x && ls /scratch', parts),
    ).toBe('refused\nx\n')
  })

  test('see Secrets, ConfigMaps, fields and tokens as files, whole volumes and parts of them', async () => {
    const parts = {
      labels: { app: 'files' },
      spec: {
        volumes: [
          { name: 'settings', configMap: { name: 'settings', items: [{ key: 'a.yaml', path: 'deep/b.yaml' }] } },
          {
            name: 'all',
            projected: {
              defaultMode: 0o440,
              sources: [
                { secret: { name: 'keys' } },
                { downwardAPI: { items: [{ path: 'label', fieldRef: { fieldPath: "metadata.labels['app']" } }] } },
                { serviceAccountToken: { path: 'jwt', audience: 'tests', expirationSeconds: 600 } },
              ],
            },
          },
        ],
        securityContext: { fsGroup: 65_532 },
      },
      container: {
        volumeMounts: [
          { name: 'settings', mountPath: '/settings' },
          { name: 'all', mountPath: '/all', readOnly: true },
          { name: 'settings', mountPath: '/one.yaml', subPath: 'deep/b.yaml' },
        ],
      },
    }
    const shell =
      'cat /settings/deep/b.yaml /one.yaml /all/token /all/label; echo; ls -lL /all | cut -c1-10; cut -d. -f2 /all/jwt'
    const [text = '', ...rest] = (await outputOf('files', shell, parts)).split('\n')
    expect(text).toBe('a: 1a: 1firstfiles')
    expect(rest.slice(0, 4)).toEqual(['total 12', '-r--r-----', '-r--r-----', '-r--r-----'])
    const claims: unknown = JSON.parse(Buffer.from(rest[4] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({
      aud: ['tests'],
      'kubernetes.io': { namespace: bench.namespace, pod: { name: 'files' }, serviceaccount: { name: 'default' } },
    })
  })

  test('see a changed Secret by a swapped link, without a moment in which files are missing', async () => {
    const name = 'rotating'
    const secret = (value: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      stringData: { key: value },
    })
    await bench.apply(secret('old'))
    await bench.runPod(
      name,
      'readlink /keys/key; while grep -q old /keys/key; do :; done; cat /keys/key; echo; readlink /keys/..data | cut -c1-2; sleep 60',
      {
        spec: { volumes: [{ name: 'keys', secret: { secretName: name } }] },
        container: { volumeMounts: [{ name: 'keys', mountPath: '/keys' }] },
      },
    )
    await bench.waitFor(name, 'ready', isReady)
    await bench.apply(secret('new'))
    const output = await eventually({ what: 'the new key', within: 10_000 }, async () => {
      const text = await bench.logs(name)
      return text.includes('new\n..\n') ? text : undefined
    })
    expect(output).toBe('..data/key\nnew\n..\n')
  })

  test('wait for a Secret that is not there yet', async () => {
    const name = 'late'
    await bench.runPod(name, 'cat /keys/key', {
      spec: { restartPolicy: 'Never', volumes: [{ name: 'keys', secret: { secretName: name } }] },
      container: { volumeMounts: [{ name: 'keys', mountPath: '/keys' }] },
    })
    const waiting = await bench.waitFor(name, 'waiting', (pod) =>
      (mainStatus(pod)?.state?.waiting?.message ?? '').includes('"late" not found'),
    )
    expect(waiting.status?.phase).toBe('Pending')
    await bench.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { key: 'here' } })
    await bench.waitFor(name, 'over', isOver)
    expect(await bench.logs(name)).toBe('here')
  })

  test('reach the API server by the name of its service with the token of their service account', async () => {
    const program = `
      const { readFileSync } = require('node:fs')
      const folder = '/var/run/secrets/kubernetes.io/serviceaccount/'
      const { KUBERNETES_SERVICE_HOST: ip } = process.env
      const ask = (host) => require('node:https').get({ host, ca: readFileSync(folder + 'ca.crt'), path: '/api/v1/nodes',
        headers: { authorization: 'Bearer ' + readFileSync(folder + 'token') } }, async (response) => {
          const { code, message } = JSON.parse((await response.toArray()).join(''))
          console.log(code, message.replace(process.env.HOME, ''))
          if (host === ip) ask('kubernetes.default.svc')
        })
      ask(ip)`
    const parts = { container: { command: ['/nodejs/bin/node', '-e', program] } }
    const refusal = `403 nodes is forbidden: User "system:serviceaccount:${bench.namespace}:default" cannot list resource "nodes" in API group "" at the cluster scope\n`
    expect(await outputOf('caller', '', parts)).toBe(refusal + refusal)
  })

  test('of an image that nobody has wait and say so', async () => {
    await bench.runPod('unknown', 'true', { container: { image: 'registry.test/other@sha256:00' } })
    const pod = await bench.waitFor(
      'unknown',
      'refused',
      (current) => mainStatus(current)?.state?.waiting?.message !== undefined,
    )
    expect(mainStatus(pod)?.state?.waiting?.message).toContain('image "registry.test/other@sha256:00" is none of those')
  })
})
