import { Option, type Command } from 'commander'

import { duration, wholeNumber } from '../option-values.ts'

const DAY = 24 * 60 * 60 * 1000

/** How a server is a part of a cluster: what it reads there, keeps there and is known by. */
export interface ClusterOptions {
  readonly inCluster?: true
  readonly kubeconfig?: string
  readonly kubeContext?: string
  readonly namespace?: string
  readonly podName?: string
  readonly istioNamespace: string
  readonly lease?: string
  readonly webhookName: string
  readonly serviceName?: string
  readonly servicePort: number
  readonly webhookUrl?: string
  /** Seconds. */
  readonly webhookTimeout: number
  readonly webhookConfig?: string
  readonly tlsMode: 'self' | 'files'
  readonly tlsSecret?: string
  readonly caFile?: string
  /** Milliseconds, as the two below. */
  readonly caValidity: number
  readonly leafValidity: number
  readonly rotateBefore: number
  readonly events?: true
  readonly metricsPort?: number
  readonly otelEndpoint?: string
  readonly debug?: true
}

/** Gives a command the options of a server that is a part of a cluster. Without the first two it knows of none. */
export function addClusterOptions(command: Command): Command {
  return addCertificateOptions(addWebhookOptions(addConnectionOptions(command)))
    .option('--events', 'write an Event when an object is refused, and when changed policies are (rate-limited)')
    .option('--metrics-port <number>', 'also serve /metrics over plain HTTP on this port', wholeNumber(65_535))
    .option('--otel-endpoint <url>', 'send OpenTelemetry traces to this OTLP/HTTP endpoint')
    .option('--debug', 'answer /debug/heap and /debug/cpu?seconds=N, to clients on this machine only')
}

function addConnectionOptions(command: Command): Command {
  return command
    .option('--in-cluster', "use the API server and the namespace of the pod's service account")
    .option('--kubeconfig <file>', 'use the API server of this kubeconfig instead')
    .option('--kube-context <name>', 'the context of --kubeconfig; its current one when left out')
    .option(
      '--namespace <name>',
      "the namespace of this installation; the service account's or the context's when left out",
    )
    .addOption(new Option('--pod-name <name>', 'the name of this replica; the host name when left out').env('POD_NAME'))
    .option('--istio-namespace <name>', "Istio's root namespace", 'istio-system')
    .option('--lease <name>', 'elect one replica by this Lease to do what one must do; without it, this one does')
}

function addWebhookOptions(command: Command): Command {
  return command
    .option(
      '--webhook-name <name>',
      'the Validating- and MutatingWebhookConfiguration to fill and repair, and the ClusterRole that owns them',
      'meshward',
    )
    .option('--service-name <name>', 'the Service by which the API server reaches this server; turns the filling on')
    .option('--service-port <number>', 'its port', wholeNumber(65_535, 1), 443)
    .option('--webhook-url <url>', 'the https address by which it does so instead of a Service')
    .option('--webhook-timeout <seconds>', 'how long the API server waits', wholeNumber(30, 1), 3)
    .option(
      '--webhook-config <file>',
      'YAML: timeoutSeconds, failurePolicy, excludedNamespaces, namespaceSelector, objectSelector, matchConditions; followed',
    )
}

function addCertificateOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--tls-mode <mode>', 'self: made, kept in --tls-secret and rotated; files: --tls-cert and --tls-key')
        .choices(['self', 'files'])
        .default('self'),
    )
    .option('--tls-secret <name>', 'the Secret that holds the CA and the certificate of all replicas')
    .option('--ca-file <file>', 'the CA of --tls-cert, for caBundle; followed. Without it the system trusts it already')
    .option('--ca-validity <duration>', 'of a CA in --tls-secret', duration, 3650 * DAY)
    .option('--leaf-validity <duration>', 'of a certificate in --tls-secret', duration, 90 * DAY)
    .option('--rotate-before <duration>', 'how long before its end either is replaced', duration, 30 * DAY)
}
