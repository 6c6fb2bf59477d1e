{{/* "true" where a cluster can be asked and has no namespace of Istio's. Rendering without a cluster knows of none. */}}
{{- define "meshward.beforeIstio" -}}
{{- and (lookup "v1" "Namespace" "" "kube-system") (not (lookup "v1" "Namespace" "" .Values.istio.namespace)) | empty | not -}}
{{- end -}}

{{- define "meshward.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .role }}
  namespace: {{ .namespace }}
  {{- include "meshward.metadata" .root | nindent 2 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .role }} }
subjects:
  - { kind: ServiceAccount, name: {{ include "meshward.serviceAccount" .root }}, namespace: {{ .root.Release.Namespace }} }
{{- end -}}

{{/* A role to read one resource in one namespace, and its binding. */}}
{{- define "meshward.readerRole" -}}
{{- $role := printf "%s-%s" (include "meshward.name" .root) .resource -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $role }}
  namespace: {{ .namespace }}
  {{- include "meshward.metadata" .root | nindent 2 }}
rules:
  - apiGroups: ['']
    resources: [{{ .resource }}]
    verbs: [list, watch]
---
{{ include "meshward.roleBinding" (dict "root" .root "role" $role "namespace" .namespace) }}
{{- end -}}
