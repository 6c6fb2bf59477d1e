{{/* Combinations that a schema cannot refuse. */}}
{{- define "meshward.validate" -}}
{{- $root := . -}}
{{- with .Values -}}
{{- if and (eq .certificates.mode "existing") (not .certificates.existingSecret) -}}
{{- fail "certificates.mode is \"existing\", so certificates.existingSecret must name the Secret (tls.crt, tls.key, ca.crt)." -}}
{{- end -}}
{{- if and (ne .certificates.mode "existing") .certificates.existingSecret -}}
{{- fail (printf "certificates.existingSecret is only used with certificates.mode=existing, which is %q; leave one of them out." .certificates.mode) -}}
{{- end -}}
{{- if and (eq .certificates.mode "cert-manager") (not .certificates.certManager.issuerRef.name) -}}
{{- fail "certificates.mode is \"cert-manager\", so certificates.certManager.issuerRef.name must name an issuer whose certificates carry their ca.crt." -}}
{{- end -}}
{{- with .certificates.self -}}
{{- $before := include "meshward.milliseconds" .rotateBefore | float64 -}}
{{- range $field := list "caValidity" "leafValidity" -}}
{{- if ge $before (include "meshward.milliseconds" (index $root.Values.certificates.self $field) | float64) -}}
{{- fail (printf "certificates.self.rotateBefore is as long as certificates.self.%s: nothing would ever be new enough." $field) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .autoscaling.enabled -}}
{{- if lt (int .autoscaling.maxReplicas) (int .autoscaling.minReplicas) -}}
{{- fail "autoscaling.maxReplicas is less than autoscaling.minReplicas." -}}
{{- end -}}
{{- if not (dig "requests" "cpu" "" .resources) -}}
{{- fail "autoscaling.enabled needs resources.requests.cpu, of which autoscaling.targetCPUUtilizationPercentage is a part." -}}
{{- end -}}
{{- end -}}
{{- if and .podDisruptionBudget.enabled (has (toString .podDisruptionBudget.maxUnavailable) (list "0" "0%")) -}}
{{- fail "podDisruptionBudget.maxUnavailable of 0 keeps every node from being drained; write 1, or switch the budget off." -}}
{{- end -}}
{{- if ge (include "meshward.milliseconds" .shutdownDelay | float64) (mulf .terminationGracePeriodSeconds 1000) -}}
{{- fail "terminationGracePeriodSeconds must be longer than shutdownDelay, or pods are killed while they still answer." -}}
{{- end -}}
{{- if and (not .serviceAccount.create) (not .serviceAccount.name) .rbac.create -}}
{{- fail "serviceAccount.create is false, so serviceAccount.name must name the account; the rights would go to the default one of the namespace." -}}
{{- end -}}
{{- if and .metrics.port (eq (int .metrics.port) (int .webhook.port)) -}}
{{- fail "metrics.port is webhook.port, which speaks HTTPS; give another, or 0 to scrape that one." -}}
{{- end -}}
{{- if and .metrics.port (eq (int .metrics.port) (int .service.port)) -}}
{{- fail "metrics.port is service.port, and a Service has a port only once; give another." -}}
{{- end -}}
{{- if .metrics.prometheusRule.enabled -}}
{{- if not (or .metrics.serviceMonitor.enabled .metrics.prometheusRule.selector) -}}
{{- fail "metrics.prometheusRule.enabled needs metrics.serviceMonitor.enabled, or metrics.prometheusRule.selector for what scrapes instead: MeshwardDown fires where no sample is found." -}}
{{- end -}}
{{- if ge (mulf .metrics.prometheusRule.thresholds.stalenessSeconds 1000) (include "meshward.milliseconds" .maxStaleness | float64) -}}
{{- fail "metrics.prometheusRule.thresholds.stalenessSeconds must be less than maxStaleness, or the alert comes when rules already answer by their failure policy." -}}
{{- end -}}
{{- if and (eq .certificates.mode "self") (ge (mulf .metrics.prometheusRule.thresholds.certificateDays 86400000) (include "meshward.milliseconds" .certificates.self.rotateBefore | float64)) -}}
{{- fail "metrics.prometheusRule.thresholds.certificateDays must be less than certificates.self.rotateBefore, or the alert comes before the renewal is due." -}}
{{- end -}}
{{- end -}}
{{- if and .tracing.enabled (not .tracing.endpoint) -}}
{{- fail "tracing.enabled needs tracing.endpoint, such as http://otel-collector.observability:4318." -}}
{{- end -}}
{{- range $key, $policy := .policies.own -}}
{{- if kindIs "string" $policy -}}
{{- include "meshward.validateText" (dict "key" $key "text" $policy) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A policy that was written as a text: is it YAML, and of the right kind? */}}
{{- define "meshward.validateText" -}}
{{- range $text := regexSplit "(?m)^---([ \\t].*)?$" .text -1 -}}
{{- $document := $text | fromYaml -}}
{{- if hasKey $document "Error" -}}
{{- fail (printf "policies.own.%q is no YAML: %s" $.key (index $document "Error")) -}}
{{- end -}}
{{- if and $document (ne (toString $document.kind) "MeshPolicy") -}}
{{- fail (printf "policies.own.%q has a document of kind %q where a MeshPolicy belongs." $.key (toString $document.kind)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A duration as the command line reads it, in milliseconds. */}}
{{- define "meshward.milliseconds" -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mulf (trimSuffix $unit . | float64) (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000) $unit) -}}
{{- end -}}
