{{/* What the values say about policies, as a stream of MeshPolicyBinding. */}}
{{- define "meshward.bindings" -}}
{{- range $index, $setting := .Values.policies.settings }}
{{- $spec := omit $setting "actions" }}
{{- with $setting.actions }}{{ $spec = set $spec "validationActions" . }}{{ end }}
---
{{ dict "apiVersion" "meshward.io/v1alpha1" "kind" "MeshPolicyBinding" "metadata" (dict "name" (printf "setting-%d" $index)) "spec" $spec | toYaml }}
{{- end }}
{{- range .Values.policies.bindings }}
---
{{ toYaml . }}
{{- end }}
{{- end -}}
