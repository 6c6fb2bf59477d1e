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
labels:
  {{- include "meshward.labels" . | nindent 2 }}
{{- with .Values.annotations }}
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

{{/* The Secret with the certificate, whoever makes it. */}}
{{- define "meshward.tlsSecret" -}}
{{- if eq .Values.certificates.mode "existing" -}}
{{- .Values.certificates.existingSecret -}}
{{- else -}}
{{- include "meshward.name" . }}-tls
{{- end -}}
{{- end -}}

{{/* Combinations that a schema cannot refuse. */}}
{{- define "meshward.validate" -}}
{{- with .Values -}}
{{- if and (eq .certificates.mode "existing") (not .certificates.existingSecret) -}}
{{- fail "certificates.mode is \"existing\", so certificates.existingSecret must name the Secret (tls.crt, tls.key, ca.crt)." -}}
{{- end -}}
{{- if and (eq .certificates.mode "cert-manager") (not .certificates.certManager.issuerRef.name) -}}
{{- fail "certificates.mode is \"cert-manager\", so certificates.certManager.issuerRef.name must name an issuer whose certificates carry their ca.crt." -}}
{{- end -}}
{{- if and .autoscaling.enabled (lt (int .autoscaling.maxReplicas) (int .autoscaling.minReplicas)) -}}
{{- fail "autoscaling.maxReplicas is less than autoscaling.minReplicas." -}}
{{- end -}}
{{- if and .podDisruptionBudget.enabled (kindIs "string" .podDisruptionBudget.maxUnavailable | not) (lt (int .podDisruptionBudget.maxUnavailable) 1) -}}
{{- fail "podDisruptionBudget.maxUnavailable of 0 keeps every node from being drained; write 1, or switch the budget off." -}}
{{- end -}}
{{- if and .webhook.url (not (hasPrefix "https://" .webhook.url)) -}}
{{- fail "webhook.url must begin with https://." -}}
{{- end -}}
{{- if and .tracing.enabled (not .tracing.endpoint) -}}
{{- fail "tracing.enabled needs tracing.endpoint, such as http://otel-collector.observability:4318." -}}
{{- end -}}
{{- end -}}
{{- end -}}
