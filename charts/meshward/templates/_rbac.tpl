{{/* Is a policy of this code and name disabled? "true" or nothing. In patterns * stands for any text, as it does for the server. */}}
{{- define "meshward.isDisabled" -}}
{{- range $pattern := .patterns -}}
{{- $regex := $pattern | regexQuoteMeta | replace "\\*" ".*" | printf "^%s$" -}}
{{- if or (regexMatch $regex $.code) (regexMatch $regex $.name) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/*
What enabled policies read: {everywhere: [{apiGroups, resources}], narrowed: [resource]}, of the shipped ones and what
policies.extraReads adds.
*/}}
{{- define "meshward.reads" -}}
{{- $patterns := .Values.policies.disabled -}}
{{- $groups := dict -}}
{{- $narrowed := list -}}
{{- range $read := .Files.Get "files/kinds-read.yaml" | fromYamlArray -}}
{{- $wanted := .always -}}
{{- range $code, $name := .readBy -}}
{{- if not (include "meshward.isDisabled" (dict "patterns" $patterns "code" $code "name" $name)) }}{{ $wanted = true }}{{ end -}}
{{- end -}}
{{- if and $wanted .everywhere }}{{ $_ := set $groups .group (append (get $groups .group | default list) .resource) }}{{ end -}}
{{- if and $wanted (not .everywhere) }}{{ $narrowed = append $narrowed .resource }}{{ end -}}
{{- end -}}
{{- $everywhere := list -}}
{{- range $group, $resources := $groups -}}
{{- $everywhere = append $everywhere (dict "apiGroups" (list $group) "resources" $resources) -}}
{{- end -}}
{{- dict "everywhere" (concat $everywhere .Values.policies.extraReads) "narrowed" $narrowed | toYaml -}}
{{- end -}}

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
