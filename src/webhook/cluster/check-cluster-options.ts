import type { ServeOptions } from '../serve-options.ts'

/** What is wrong with the options of a cluster taken together, in a sentence; undefined where they fit. */
export function clusterOptionsProblem(options: ServeOptions): string | undefined {
  const connected = options.inCluster === true || options.kubeconfig !== undefined
  const needy = NEED_A_CLUSTER.find(([key]) => options[key] !== undefined)
  if (!connected && needy !== undefined)
    return `${needy[1]} needs a cluster: give --in-cluster or --kubeconfig FILE too.`
  if (options.inCluster === true && options.kubeconfig !== undefined)
    return '--in-cluster and --kubeconfig name two clusters: give one of them.'
  if (options.serviceName !== undefined && options.webhookUrl !== undefined)
    return '--service-name and --webhook-url are two ways to this server: give one of them.'
  if (options.webhookUrl !== undefined && !/^https:\/\/[^/?#@]+\/?$/.test(options.webhookUrl))
    return '--webhook-url is the address alone, such as https://meshward.example.com:8443; the paths are added.'
  const ownFiles = options.tlsCert !== undefined || options.tlsKey !== undefined
  if (options.tlsMode === 'files' && !ownFiles) return '--tls-mode files needs --tls-cert and --tls-key.'
  if (options.tlsSecret !== undefined && (options.tlsMode === 'files' || ownFiles))
    return '--tls-secret is for --tls-mode self, which makes what is in it: leave it out, or --tls-cert and --tls-key.'
  if (options.tlsSecret !== undefined && options.serviceName === undefined && options.webhookUrl === undefined)
    return '--tls-secret needs --service-name or --webhook-url, the name that its certificate is good for.'
  const shortest = Math.min(options.caValidity, options.leafValidity)
  if (options.tlsSecret !== undefined && options.rotateBefore >= shortest)
    return '--rotate-before is as long as --ca-validity or --leaf-validity: nothing would ever be new enough.'
  if (options.metricsPort !== undefined && options.metricsPort !== 0 && options.metricsPort === options.port)
    return '--metrics-port is the port of --port, which speaks HTTPS: give another, or leave it out and scrape that one.'
  if (options.otelEndpoint !== undefined && !/^https?:\/\/[^/]/.test(options.otelEndpoint))
    return '--otel-endpoint is a URL such as http://otel-collector:4318.'
  return undefined
}

const NEED_A_CLUSTER = [
  ['lease', '--lease'],
  ['serviceName', '--service-name'],
  ['webhookUrl', '--webhook-url'],
  ['tlsSecret', '--tls-secret'],
  ['events', '--events'],
] as const
