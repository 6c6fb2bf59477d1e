import { makeCertificate } from '../../../src/webhook/self-made-certificate.ts'

/**
 * A validating webhook of a few lines that refuses as istiod's does: what bears the annotation by which istiod tests
 * itself, and Gateways without servers. istio: pkg/webhooks/validation/server/server.go
 */
const program = `
const { readFileSync } = require('node:fs')
const { createServer } = require('node:https')
const reasonAgainst = ({ kind, metadata, spec = {} }) => {
  if (metadata.annotations?.['internal.istio.io/webhook-always-reject'] === 'true') return 'always reject annotation'
  if (kind === 'Gateway' && !spec.servers?.length) return 'gateway must have at least one server'
}
const options = { key: readFileSync('/tls/tls.key'), cert: readFileSync('/tls/tls.crt') }
createServer(options, async (request, response) => {
  const text = (await request.toArray()).join('')
  if (request.url === '/ready') return response.end('ok')
  const { request: { uid, object } } = JSON.parse(text)
  const reason = reasonAgainst(object)
  const status = { message: 'configuration is invalid: ' + reason }
  const answer = reason === undefined ? { uid, allowed: true } : { uid, allowed: false, status }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }))
}).listen(15017)
process.on('SIGTERM', () => process.exit(0))
`

const metadata = { name: 'istiod', namespace: 'istio-system' }
const labels = { app: 'istiod' }

/** istiod, as far as admission is concerned, in a pod of an image that holds Node: its objects, and its webhook. */
export async function istioStandIn(
  image: string,
): Promise<{ readonly workload: readonly object[]; readonly webhook: object }> {
  const { source, ca } = await makeCertificate({ names: ['istiod.istio-system.svc'], problem: () => {} })
  const { cert, key } = source.current()
  const stringData = { 'tls.crt': cert.toString(), 'tls.key': key.toString() }
  const container = {
    name: 'discovery',
    image,
    command: ['/nodejs/bin/node', '-e', program],
    ports: [{ name: 'https', containerPort: 15_017 }],
    readinessProbe: { httpGet: { scheme: 'HTTPS', path: '/ready', port: 'https' }, periodSeconds: 1 },
    volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
  }
  return {
    workload: [
      { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, stringData },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { selector: labels, ports: [{ port: 443, targetPort: 'https' }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { volumes: [{ name: 'tls', secret: { secretName: 'istiod' } }], containers: [container] },
          },
        },
      },
    ],
    webhook: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'istio-validator-istio-system' },
      webhooks: [
        {
          name: 'rev.validation.istio.io',
          clientConfig: {
            service: { name: 'istiod', namespace: 'istio-system', path: '/validate' },
            caBundle: Buffer.from(ca).toString('base64'),
          },
          rules: [
            {
              operations: ['CREATE', 'UPDATE'],
              apiGroups: ['security.istio.io', 'networking.istio.io', 'telemetry.istio.io', 'extensions.istio.io'],
              apiVersions: ['*'],
              resources: ['*'],
            },
          ],
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
  }
}
