import type { CoreV1Api, V1Pod } from '@kubernetes/client-node'

export interface TokenRequest {
  readonly pod: V1Pod
  readonly audience: string | undefined
  readonly expirationSeconds: number | undefined
}

/** Tokens of pods' service accounts. */
export interface ServiceAccountTokens {
  /** A token that is bound to the pod; the same one until four fifths of its life are over, as a kubelet does it. */
  readonly current: (request: TokenRequest) => Promise<string>
  /** Forgets the tokens of a pod that is gone. */
  readonly forget: (pod: V1Pod) => void
}

interface Issued {
  readonly token: string
  readonly renewAt: number
}

const hour = 3600

export function createServiceAccountTokens(core: CoreV1Api): ServiceAccountTokens {
  const issued = new Map<string, Issued>()
  const keyOf = ({ pod, audience = '', expirationSeconds = hour }: TokenRequest): string =>
    `${pod.metadata?.uid} ${expirationSeconds} ${audience}`

  const issue = async ({ pod, audience, expirationSeconds = hour }: TokenRequest): Promise<Issued> => {
    const { name = '', namespace = '', uid = '' } = pod.metadata ?? {}
    const { status } = await core.createNamespacedServiceAccountToken({
      name: pod.spec?.serviceAccountName ?? 'default',
      namespace,
      body: {
        spec: {
          audiences: audience === undefined ? [] : [audience],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
    })
    if (status?.token === undefined || status.expirationTimestamp === undefined) {
      throw new Error('the API server issued no token')
    }
    const now = Date.now()
    return { token: status.token, renewAt: now + (status.expirationTimestamp.getTime() - now) * 0.8 }
  }

  return {
    current: async (request) => {
      const key = keyOf(request)
      const known = issued.get(key)
      if (known !== undefined && Date.now() < known.renewAt) return known.token
      const fresh = await issue(request)
      issued.set(key, fresh)
      return fresh.token
    },
    forget: ({ metadata }) => {
      for (const key of issued.keys()) if (key.startsWith(`${metadata?.uid} `)) issued.delete(key)
    },
  }
}
