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

{{- define "ncr.selector" -}}
app.kubernetes.io/name: {{ include "ncr.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ncr.labels" -}}
{{ include "ncr.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ncr.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "ncr.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "ncr.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
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

{{- /* A kubelet that asks has no certificate and no password. */}}
{{- define "ncr.probe" -}}
{{- if .root.Values.webConfig.existingSecret -}}
tcpSocket:
  port: http
{{- else -}}
httpGet:
  path: {{ .path }}
  port: http
{{- end }}
{{- end }}
