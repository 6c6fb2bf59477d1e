{{/* The name of everything: at most 40 characters, so that a suffix fits into 63. */}}
{{- define "meshward.name" -}}
{{- if .Values.nameOverride -}}
{{- .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "meshward" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-meshward" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "meshward.selector" -}}
app.kubernetes.io/name: meshward
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "meshward.labels" -}}
{{ include "meshward.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "meshward.metadata" -}}
{{ include "meshward.metadataWith" (dict "root" .) }}
{{- end -}}

{{/* The same with `labels` and `annotations` of one object, which go before those of all. */}}
{{- define "meshward.metadataWith" -}}
labels:
  {{- merge (dict) (.labels | default dict) (include "meshward.labels" .root | fromYaml) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "meshward.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "meshward.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "meshward.image" -}}
{{- $image := .Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest -}}
@{{ $image.digest }}
{{- else -}}
:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* A name that the certificate is good for. */}}
{{- define "meshward.serverName" -}}
{{- with .Values.webhook.url -}}
{{- (urlParse .).hostname -}}
{{- else -}}
{{- printf "%s.%s.svc" (include "meshward.name" .) .Release.Namespace -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the certificate, whoever makes it. */}}
{{- define "meshward.tlsSecret" -}}
{{- if eq .Values.certificates.mode "existing" -}}
{{- .Values.certificates.existingSecret -}}
{{- else -}}
{{- include "meshward.name" . }}-tls
{{- end -}}
{{- end -}}
