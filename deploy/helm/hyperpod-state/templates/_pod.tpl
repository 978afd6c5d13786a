{{/* What all pods have: who they are, how they reach Kafka, what they may. */}}

{{- define "hyperpod-state.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "hyperpod-state.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Variables of every command; the pod's own address is that of a worker, or of any. */}}
{{- define "hyperpod-state.env" -}}
- name: HYPERPOD_STATE_BROKERS
  value: {{ .Values.kafka.brokers | quote }}
{{- with .Values.kafka.tls }}
{{- if .enabled }}
- name: HYPERPOD_STATE_KAFKA_TLS
  value: "true"
{{- end }}
{{- if .ca.existingSecret }}
- name: HYPERPOD_STATE_KAFKA_CA_FILE
  value: /run/secrets/kafka-ca/{{ .ca.key }}
{{- end }}
{{- with .client }}
{{- if .existingSecret }}
- name: HYPERPOD_STATE_KAFKA_CERTIFICATE_FILE
  value: /run/secrets/kafka-client/{{ .certificateKey }}
- name: HYPERPOD_STATE_KAFKA_KEY_FILE
  value: /run/secrets/kafka-client/{{ .keyKey }}
{{- if .passwordKey }}
- name: HYPERPOD_STATE_KAFKA_KEY_PASSWORD_FILE
  value: /run/secrets/kafka-client/{{ .passwordKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.kafka.sasl }}
{{- if .mechanism }}
- name: HYPERPOD_STATE_KAFKA_SASL_MECHANISM
  value: {{ .mechanism }}
{{- end }}
{{- if .username }}
- name: HYPERPOD_STATE_KAFKA_USERNAME
  value: {{ .username | quote }}
{{- end }}
{{- if .password.existingSecret }}
- name: HYPERPOD_STATE_KAFKA_PASSWORD_FILE
  value: /run/secrets/kafka-password/{{ .password.key }}
{{- end }}
{{- if .region }}
- name: HYPERPOD_STATE_KAFKA_REGION
  value: {{ .region }}
{{- end }}
{{- end }}
- name: HYPERPOD_STATE_PARTITIONS
  value: {{ .Values.topics.partitions | quote }}
- name: HYPERPOD_STATE_RAW_PARTITIONS
  value: {{ .Values.topics.rawPartitions | quote }}
- name: HYPERPOD_STATE_REPLICATION_FACTOR
  value: {{ .Values.topics.replicationFactor | quote }}
- name: HYPERPOD_STATE_CREATE_TOPICS
  value: {{ .Values.topics.create | quote }}
{{- range $name, $value := .Values.settings }}
- name: HYPERPOD_STATE_{{ upper $name }}
  value: {{ include "hyperpod-state.plain" $value | quote }}
{{- end }}
{{- if include "hyperpod-state.tokenSecret" . }}
- name: HYPERPOD_STATE_HTTP_TOKEN_FILE
  value: /run/secrets/http-token/{{ .Values.http.token.key }}
{{- end }}
{{- with .Values.http.tls }}
{{- if .existingSecret }}
- name: HYPERPOD_STATE_HTTP_TLS_CERTIFICATE_FILE
  value: /run/secrets/http-tls/{{ .certificateKey }}
- name: HYPERPOD_STATE_HTTP_TLS_KEY_FILE
  value: /run/secrets/http-tls/{{ .keyKey }}
{{- if .caKey }}
- name: HYPERPOD_STATE_HTTP_TLS_CA_FILE
  value: /run/secrets/http-tls/{{ .caKey }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A number of a values file is a float to Helm, which would write 16777216 as 1.6777216e+07. */}}
{{- define "hyperpod-state.plain" -}}
{{- if kindIs "float64" . -}}
{{- if eq . (floor .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/* Secrets are files, never variables: those can be read by whoever may describe the pod's process. */}}
{{- define "hyperpod-state.mounts" -}}
{{- range $name, $secret := include "hyperpod-state.secrets" . | fromYaml }}
- name: {{ $name }}
  mountPath: /run/secrets/{{ $name }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "hyperpod-state.volumes" -}}
{{- range $name, $secret := include "hyperpod-state.secrets" . | fromYaml }}
- name: {{ $name }}
  secret:
    secretName: {{ $secret }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "hyperpod-state.secrets" -}}
{{- with .Values.kafka.tls.ca.existingSecret }}
kafka-ca: {{ . | quote }}
{{- end }}
{{- with .Values.kafka.tls.client.existingSecret }}
kafka-client: {{ . | quote }}
{{- end }}
{{- with .Values.kafka.sasl.password.existingSecret }}
kafka-password: {{ . | quote }}
{{- end }}
{{- with include "hyperpod-state.tokenSecret" . }}
http-token: {{ . | quote }}
{{- end }}
{{- with .Values.http.tls.existingSecret }}
http-tls: {{ . | quote }}
{{- end }}
{{- with .Values.http.tls.clientCa.existingSecret }}
http-clients: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* What the scheduler is told, the same for every pod. */}}
{{- define "hyperpod-state.placing" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
