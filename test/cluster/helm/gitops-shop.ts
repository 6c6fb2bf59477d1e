import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A VirtualService and a Gateway, into whose lists a default is filled, and a DestinationRule, into whose maps some are. */
export const SHOP = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
    - route: [{ destination: { host: reviews } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: reviews
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: reviews
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 443, name: https, protocol: HTTPS }
      hosts: [reviews.example.com]
      tls: { mode: SIMPLE, credentialName: reviews }
`

const TEMPLATE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
    {{- if .Values.canary }}
    - name: canary
      match: [{ headers: { canary: { exact: 'yes' } } }]
      route: [{ destination: { host: reviews } }]
    {{- end }}
    - name: all
      route: [{ destination: { host: reviews } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: reviews
  trafficPolicy:
    loadBalancer: { simple: {{ .Values.balancer }} }
`

/** Writes the first two of them as a chart, with values `canary` and `balancer`, and returns its folder. */
export function writeShopChart(parent: string): string {
  const folder = join(parent, 'shop')
  mkdirSync(join(folder, 'templates'), { recursive: true })
  writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 1.0.0\n')
  writeFileSync(join(folder, 'values.yaml'), 'canary: false\nbalancer: LEAST_REQUEST\n')
  writeFileSync(join(folder, 'templates/mesh.yaml'), TEMPLATE)
  return folder
}
