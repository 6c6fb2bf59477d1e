{{/* What the values say about policies, as a stream of MeshPolicyBinding. */}}
{{- define "meshward.bindings" -}}
{{- if not .Values.istio.fillRetryBudget }}
---
{{ include "meshward.binding" (dict "name" "no-retry-budget" "spec" (dict "policies" (list "require-retry-budget") "validationActions" (list "Audit") "defaultsAction" "Off")) }}
{{- end }}
{{- range $index, $setting := .Values.policies.settings }}
{{- $spec := omit $setting "actions" }}
{{- with $setting.actions }}{{ $spec = set $spec "validationActions" . }}{{ end }}
---
{{ include "meshward.binding" (dict "name" (printf "setting-%d" $index) "spec" $spec) }}
{{- end }}
{{- range .Values.policies.bindings }}
---
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "meshward.binding" -}}
{{ dict "apiVersion" "meshward.io/v1alpha1" "kind" "MeshPolicyBinding" "metadata" (dict "name" .name) "spec" .spec | toYaml }}
{{- end -}}
