{{/* What cannot work is refused here, with the way out, and not by a pod that never gets ready. */}}
{{- define "hyperpod-state.checks" -}}
{{- $v := .Values -}}
{{- if not $v.image.repository -}}
{{- fail "\nimage.repository: say where the image is. Build docker/Dockerfile, push it to a registry of yours, and give --set image.repository=registry.example.com/hyperpod-state" -}}
{{- end -}}
{{- if not $v.kafka.brokers -}}
{{- fail "\nkafka.brokers: give the bootstrap servers, such as --set 'kafka.brokers=kafka-1.example.com:9092\\,kafka-2.example.com:9092'" -}}
{{- end -}}
{{- range splitList "," $v.kafka.brokers -}}
{{- if not (regexMatch "^.+:[0-9]+$" (trim .)) -}}
{{- fail (printf "\nkafka.brokers: %q has no port; give host:port" (trim .)) -}}
{{- end -}}
{{- end -}}
{{- if and $v.http.token.existingSecret $v.http.token.value -}}
{{- fail "\nhttp.token: give existingSecret or value, not both" -}}
{{- end -}}
{{- if not (or $v.http.token.existingSecret $v.http.token.value $v.http.tls.clientCa.existingSecret) -}}
{{- fail (printf "\nhttp.token: workers can be reached from other pods, so they need a token (or mutual TLS, http.tls.clientCa). Make one:\n  kubectl --namespace %s create secret generic hyperpod-state-token --from-literal=token=$(openssl rand -hex 24)\nand give --set http.token.existingSecret=hyperpod-state-token" .Release.Namespace) -}}
{{- end -}}
{{- if and $v.http.tls.clientCa.existingSecret (not $v.http.tls.existingSecret) -}}
{{- fail "\nhttp.tls.clientCa: workers can ask for certificates over TLS only: give http.tls.existingSecret as well" -}}
{{- end -}}
{{- if gt (int $v.replicas) (max (int $v.topics.partitions) (int $v.topics.rawPartitions)) -}}
{{- fail (printf "\nreplicas: %d workers share %d partitions, so some would have nothing to do; give at most as many as topics.partitions. docs/maintenance.md says how to move to more partitions" (int $v.replicas) (int $v.topics.partitions)) -}}
{{- end -}}
{{- if and $v.kafka.sasl.mechanism (not $v.kafka.tls.enabled) -}}
{{- fail (printf "\nkafka.sasl.mechanism: %s is sent over TLS only: set kafka.tls.enabled=true" $v.kafka.sasl.mechanism) -}}
{{- end -}}
{{- if and (or $v.kafka.tls.ca.existingSecret $v.kafka.tls.client.existingSecret) (not $v.kafka.tls.enabled) -}}
{{- fail "\nkafka.tls: certificates are given, and nothing is encrypted: set kafka.tls.enabled=true" -}}
{{- end -}}
{{- if and $v.kafka.sasl.mechanism (ne $v.kafka.sasl.mechanism "AWS_MSK_IAM") (not (and $v.kafka.sasl.username $v.kafka.sasl.password.existingSecret)) -}}
{{- fail (printf "\nkafka.sasl: %s needs a username and password.existingSecret, a secret that has the password" $v.kafka.sasl.mechanism) -}}
{{- end -}}
{{- if and (or (not $v.kafka.sasl.mechanism) (eq $v.kafka.sasl.mechanism "AWS_MSK_IAM")) (or $v.kafka.sasl.username $v.kafka.sasl.password.existingSecret) -}}
{{- fail "\nkafka.sasl: a name and a password are of no use without a mechanism that takes them, such as SCRAM-SHA-512" -}}
{{- end -}}
{{- if and $v.alerts.enabled (not (regexMatch "(?m)^\\s*\\[+\\s*alerts" $v.alerts.config)) -}}
{{- fail "\nalerts.config: give the TOML with a table [alerts]; docs/alerts.md has examples. With --set-file alerts.config=alerts.toml it stays a file of its own" -}}
{{- end -}}
{{- end -}}
