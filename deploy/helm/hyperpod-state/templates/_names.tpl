{{/* Names and labels. Short enough that a worker's name, and the label that Kubernetes makes of it, have 63 characters. */}}
{{- define "hyperpod-state.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "hyperpod-state.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "hyperpod-state.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "hyperpod-state.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "hyperpod-state.headless" -}}
{{- include "hyperpod-state.fullname" . }}-workers
{{- end -}}

{{- define "hyperpod-state.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "hyperpod-state.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* What never changes, so that it may select. */}}
{{- define "hyperpod-state.selector" -}}
app.kubernetes.io/name: {{ include "hyperpod-state.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hyperpod-state.labels" -}}
{{ include "hyperpod-state.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "hyperpod-state.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The secret with the token, ours or yours; empty: there is none. */}}
{{- define "hyperpod-state.tokenSecret" -}}
{{- .Values.http.token.existingSecret | default (ternary (printf "%s-token" (include "hyperpod-state.fullname" .)) "" (not (empty .Values.http.token.value))) -}}
{{- end -}}

{{- define "hyperpod-state.scheme" -}}
{{- ternary "https" "http" (not (empty .Values.http.tls.existingSecret)) -}}
{{- end -}}

{{- define "hyperpod-state.reconcileAccount" -}}
{{- .Values.reconcile.serviceAccount.name | default (ternary (printf "%s-reconcile" (include "hyperpod-state.fullname" .)) "default" .Values.reconcile.serviceAccount.create) -}}
{{- end -}}

{{/* Egress to AWS's API, and to what gives credentials: AWS's STS, or the agent of EKS Pod Identity. */}}
{{- define "hyperpod-state.aws" -}}
- ports:
    - port: 443
      protocol: TCP
- to:
    - ipBlock:
        cidr: 169.254.170.23/32
    - ipBlock: # where pods have IPv6
        cidr: fd00:ec2::23/128
  ports:
    - port: 80
      protocol: TCP
{{- end -}}

{{/* The ports of the brokers, as a NetworkPolicy has them. */}}
{{- define "hyperpod-state.kafkaPorts" -}}
{{- $ports := .Values.networkPolicy.kafka.ports -}}
{{- if not $ports -}}
{{- range splitList "," .Values.kafka.brokers -}}
{{- $ports = append $ports (last (splitList ":" (trim .)) | int) -}}
{{- end -}}
{{- end -}}
{{- range uniq $ports }}
- port: {{ . }}
  protocol: TCP
{{- end -}}
{{- end -}}
