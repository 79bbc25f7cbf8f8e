{{- define "ncr.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "ncr.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "ncr.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "ncr.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "ncr.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "ncr.selector" -}}
app.kubernetes.io/name: {{ include "ncr.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* All labels of an object, and those of a value: (list . .Values.podLabels). The chart's own win,
since the others are selected by them. */}}
{{- define "ncr.labelsWith" -}}
{{- $root := first . }}
{{- $own := dict
      "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/managed-by" $root.Release.Service
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- toYaml (merge (include "ncr.selector" $root | fromYaml) $own (last .) $root.Values.commonLabels) }}
{{- end }}

{{- define "ncr.labels" -}}
{{- include "ncr.labelsWith" (list . dict) }}
{{- end }}

{{- /* Name, namespace and labels of an object that has nothing of its own. */}}
{{- define "ncr.metadata" -}}
name: {{ include "ncr.fullname" . }}
namespace: {{ include "ncr.namespace" . }}
labels:
  {{- include "ncr.labels" . | nindent 2 }}
{{- end }}

{{- define "ncr.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "ncr.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "ncr.image" -}}
{{- $registry := default .Values.image.registry (dig "imageRegistry" "" .Values.global) }}
{{- $repository := empty $registry | ternary .Values.image.repository (printf "%s/%s" $registry .Values.image.repository) }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* A parent chart may give names where the pod wants objects. */}}
{{- define "ncr.pullSecrets" -}}
{{- $secrets := list }}
{{- range concat (dig "imagePullSecrets" list .Values.global) .Values.imagePullSecrets }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- if $secrets }}
{{- toYaml (uniq $secrets) }}
{{- end }}
{{- end }}

{{- define "ncr.configMap" -}}
{{- default (include "ncr.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{- /* The Secret with the API key; empty where the chart has nothing to do with it. */}}
{{- define "ncr.secret" -}}
{{- if .Values.credentials.existingSecret }}
{{- .Values.credentials.existingSecret }}
{{- else if .Values.credentials.secretKey }}
{{- include "ncr.fullname" . }}
{{- end }}
{{- end }}

{{- /* The configuration file: the user's, and where the chart put the keys. */}}
{{- define "ncr.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if include "ncr.secret" . }}
{{- $_ := set $config "credentials" (dict
      "access_key_file" "/run/secrets/ncloud/access-key"
      "secret_key_file" "/run/secrets/ncloud/secret-key") }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "ncr.args" -}}
{{- if .Values.demo -}}
- demo
- --web.listen-address=:10627
{{- else -}}
- --config.file=/etc/ncr-exporter/ncr-exporter.yml
- --config.auto-reload
- --storage.path=/var/lib/ncr-exporter
{{- if .Values.enableLifecycle }}
- --web.enable-lifecycle
{{- end }}
{{- if .Values.webConfig.existingSecret }}
- --web.config.file=/etc/ncr-exporter-web/web-config.yml
{{- end }}
{{- if gt (int .Values.shards) 1 }}
- --shard=auto
- --total-shards={{ int .Values.shards }}
{{- end }}
{{- end }}
- --log.level={{ .Values.log.level }}
- --log.format={{ .Values.log.format }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{- /* A probe with the chart's handler, unless its value has one. A kubelet that asks has no
certificate and no password. */}}
{{- define "ncr.probe" -}}
{{- $probe := deepCopy .probe }}
{{- if not (or (hasKey $probe "httpGet") (hasKey $probe "tcpSocket") (hasKey $probe "exec") (hasKey $probe "grpc")) }}
{{- if .root.Values.webConfig.existingSecret }}
{{- $_ := set $probe "tcpSocket" (dict "port" "http") }}
{{- else }}
{{- $_ := set $probe "httpGet" (dict "path" .path "port" "http") }}
{{- end }}
{{- end }}
{{- toYaml $probe }}
{{- end }}

{{- /* The seconds of a duration as Prometheus writes it. */}}
{{- define "ncr.seconds" -}}
{{- $units := dict "ms" 0 "s" 1 "m" 60 "h" 3600 "d" 86400 "w" 604800 "y" 31536000 }}
{{- $total := 0 }}
{{- range regexFindAll "[0-9]+(ms|[smhdwy])" (toString .) -1 }}
{{- $total = add $total (mul (regexFind "[0-9]+" . | atoi) (index $units (regexFind "[a-z]+" .))) }}
{{- end }}
{{- $total }}
{{- end }}

{{- /* How long the first round may take. A plan that fits its rate limit asks for everything once
within its longest interval; five minutes are for pulling the image and starting. */}}
{{- define "ncr.progressDeadline" -}}
{{- $longest := include "ncr.seconds" (dig "defaults" "interval" "15m" .Values.config) | int }}
{{- range .Values.config.registries }}
{{- if kindIs "map" . }}
{{- $longest = max $longest (include "ncr.seconds" (default "" .interval) | int) }}
{{- range .images }}
{{- if kindIs "map" . }}
{{- $longest = max $longest (include "ncr.seconds" (default "" .interval) | int) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- default (add $longest 300) (int .Values.progressDeadlineSeconds) }}
{{- end }}
