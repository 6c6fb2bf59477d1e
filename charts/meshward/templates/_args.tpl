{{/* The command line of a replica: what can change without a restart is in files instead. */}}
{{- define "meshward.args" -}}
{{- $name := include "meshward.name" . -}}
- --in-cluster
- --host={{ .Values.webhook.listenAddress }}
- --port={{ .Values.webhook.port }}
- --webhook-name={{ $name }}
- --lease={{ $name }}
{{- if .Values.webhook.url }}
- --webhook-url={{ .Values.webhook.url }}
{{- else }}
- --service-name={{ $name }}
- --service-port={{ .Values.service.port }}
{{- end }}
- --webhook-config=/etc/meshward/config/webhook.yaml
- --policies=/etc/meshward/policies
- --bindings=/etc/meshward/config/bindings.yaml
- --profile-file=/etc/meshward/config/profile
- --disabled-file=/etc/meshward/config/disabled
- --enforcement-file=/etc/meshward/config/enforcement
- --istio-namespace={{ .Values.istio.namespace }}
{{- if eq .Values.certificates.mode "self" }}
- --tls-secret={{ include "meshward.tlsSecret" . }}
{{- with .Values.certificates.self }}
- --ca-validity={{ .caValidity }}
- --leaf-validity={{ .leafValidity }}
- --rotate-before={{ .rotateBefore }}
{{- end }}
{{- else }}
- --tls-mode=files
- --tls-cert=/etc/meshward/tls/tls.crt
- --tls-key=/etc/meshward/tls/tls.key
- --ca-file=/etc/meshward/tls/ca.crt
{{- end }}
{{- range .Values.rbac.secretNamespaces }}
- --secret-namespace={{ . }}
{{- end }}
{{- if .Values.events.enabled }}
- --events
{{- end }}
{{- with .Values.metrics.port }}
- --metrics-port={{ . }}
{{- end }}
{{- if .Values.tracing.enabled }}
- --otel-endpoint={{ .Values.tracing.endpoint }}
{{- end }}
{{- if .Values.debug }}
- --debug
{{- end }}
- --log-level={{ .Values.logLevel }}
- --max-in-flight={{ .Values.maxInFlight }}
- --max-staleness={{ .Values.maxStaleness }}
- --shutdown-delay={{ .Values.shutdownDelay }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}
