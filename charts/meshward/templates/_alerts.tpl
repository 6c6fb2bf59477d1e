{{/* The rules of files/alerts.yaml, for this installation and its thresholds. */}}
{{- define "meshward.alerts" -}}
{{- $root := . -}}
{{- $name := include "meshward.name" . -}}
{{- $said := .Values.metrics.prometheusRule -}}
{{- $alerts := .Files.Get "files/alerts.yaml" | fromYamlArray -}}
{{- $known := list -}}
{{- range $alerts }}{{ $known = append $known .alert }}{{ end -}}
{{- range $said.disabled }}
{{- if not (has . $known) }}
{{- fail (printf "metrics.prometheusRule.disabled names %q, which is no alert; there are %s." . (join ", " $known)) -}}
{{- end }}
{{- end -}}
{{- $self := printf "namespace=%q, job=%q" .Release.Namespace $name -}}
{{- $rules := list -}}
{{- range $alert := $alerts }}
{{- if not (has .alert $said.disabled) }}
{{- $expr := $alert.expr | replace "$self" ($said.selector | default $self) -}}
{{- range $threshold, $value := $said.thresholds }}
{{- $expr = $expr | replace (printf "$%s" $threshold) (toString $value) -}}
{{- end }}
{{- $description := printf "%s %s" $alert.meaning $alert.action | replace "$namespace" $root.Release.Namespace | replace "$name" $name -}}
{{- $annotations := dict "summary" $alert.summary "description" $description -}}
{{- with $said.runbookUrl }}{{ $annotations = set $annotations "runbook_url" (printf "%s%s" . (lower $alert.alert)) }}{{ end -}}
{{- $labels := merge (dict "severity" $alert.severity) $said.alertLabels -}}
{{- $rules = append $rules (dict "alert" $alert.alert "expr" $expr "for" $alert.for "labels" $labels "annotations" $annotations) -}}
{{- end }}
{{- end }}
{{- toYaml $rules -}}
{{- end -}}
