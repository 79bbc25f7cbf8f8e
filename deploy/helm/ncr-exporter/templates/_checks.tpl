{{- /* Values that contradict each other, each refused with a sentence. */}}
{{- define "ncr.check" -}}
{{- $v := .Values }}
{{- $keys := $v.credentials }}
{{- $inline := or $keys.accessKey $keys.secretKey }}
{{- $sharded := gt (int $v.shards) 1 }}
{{- if not $v.image.repository }}
{{- fail (printf "There is no image: image.repository is empty, since this chart comes from a checkout and not from a release. Build one (make image), push it to a registry that your cluster pulls from, as NCR itself (docker tag ncr-exporter:%s my-registry.kr.ncr.ntruss.com/ncr-exporter:%s; docker login and docker push), and set image.repository=my-registry.kr.ncr.ntruss.com/ncr-exporter and imagePullSecrets. The chart's README.md has the commands." $.Chart.AppVersion $.Chart.AppVersion) }}
{{- end }}
{{- if $v.demo }}
{{- if or $v.config $v.existingConfigMap }}
{{- fail "demo runs without a configuration: leave config and existingConfigMap empty, or set demo to false." }}
{{- end }}
{{- if or $keys.existingSecret $inline }}
{{- fail "demo runs without an account: leave credentials empty, or set demo to false." }}
{{- end }}
{{- if or $sharded $v.persistence.enabled $v.enableLifecycle $v.webConfig.existingSecret }}
{{- fail "demo knows no shards, persistence, enableLifecycle or webConfig: unset them, or set demo to false." }}
{{- end }}
{{- else if not (or $v.config $v.existingConfigMap) }}
{{- fail "There is nothing to watch: set config (with its registries), existingConfigMap, or demo=true to look at it without an account." }}
{{- end }}
{{- if and $v.config $v.existingConfigMap }}
{{- fail "config and existingConfigMap are both set: the configuration can come from one of them only." }}
{{- end }}
{{- if and $v.config (not $v.config.registries) }}
{{- fail "config has no registries: name at least one, or nothing is watched." }}
{{- end }}
{{- if and $keys.existingSecret $inline }}
{{- fail "credentials.existingSecret is set beside credentials.accessKey or secretKey: the key can come from one of them only." }}
{{- end }}
{{- if and $inline (not (and $keys.accessKey $keys.secretKey)) }}
{{- fail "credentials has half a key pair: set both accessKey and secretKey." }}
{{- end }}
{{- if and $v.existingConfigMap $inline }}
{{- fail "credentials.accessKey and secretKey belong to the chart's own configuration: with existingConfigMap, put them into a Secret, set credentials.existingSecret, and name the files in your configuration." }}
{{- end }}
{{- if and (hasKey $v.config "credentials") (or $keys.existingSecret $inline) }}
{{- fail "config.credentials is set beside credentials: the chart writes those lines itself, so leave one of them out." }}
{{- end }}
{{- if and $v.config (not (or $keys.existingSecret $inline (hasKey $v.config "credentials") $v.extraEnv $v.extraEnvFrom)) }}
{{- fail "There is no API key: set credentials.existingSecret (keys access-key and secret-key), or bring it in by config.credentials, extraEnv or extraEnvFrom." }}
{{- end }}
{{- if and $sharded $v.persistence.existingClaim }}
{{- fail "persistence.existingClaim holds the state of one exporter: with shards > 1 leave it empty, each pod gets a claim of its own." }}
{{- end }}
{{- if and $v.persistence.existingClaim (not $v.persistence.enabled) }}
{{- fail "persistence.existingClaim is set but persistence.enabled is false: the claim would not be used." }}
{{- end }}
{{- range $v.extraArgs }}
{{- $flag := . | splitList "=" | first }}
{{- if has $flag (list "--config.file" "--config.auto-reload" "--storage.path" "--shard" "--total-shards" "--web.config.file" "--web.enable-lifecycle" "--web.listen-address" "--web.telemetry-path" "--log.level" "--log.format") }}
{{- fail (printf "extraArgs: %s is set by the chart; use its value for that." $flag) }}
{{- end }}
{{- end }}
{{- if and $sharded (or $v.ingress.enabled $v.httpRoute.enabled) }}
{{- fail "ingress and httpRoute lead to one status page, but each shard has the page of its own images: set shards to 1, or use port-forward." }}
{{- end }}
{{- if and $sharded (ne $v.service.type "ClusterIP") }}
{{- fail "service.type must be ClusterIP with shards > 1: their Service is headless, so that each is scraped." }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
{{- fail "ingress.enabled is true, but ingress.hosts is empty: name the host of the status page." }}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled is true, but httpRoute.parentRefs is empty: name the Gateway that the route belongs to." }}
{{- end }}
{{- if and $v.service.nodePort (eq $v.service.type "ClusterIP") }}
{{- fail "service.nodePort is set, but service.type is ClusterIP: such a Service has no port on the nodes." }}
{{- end }}
{{- if gt (include "ncr.seconds" $v.serviceMonitor.scrapeTimeout | int) (include "ncr.seconds" $v.serviceMonitor.interval | int) }}
{{- fail "serviceMonitor.scrapeTimeout is longer than serviceMonitor.interval: Prometheus refuses that, and scrapes nothing." }}
{{- end }}
{{- $source := dig "credentials" "source" "" $v.config }}
{{- if and (eq (toString $source) "server_role") $v.networkPolicy.enabled (not $v.networkPolicy.metadata) }}
{{- fail "config.credentials.source is server_role, but networkPolicy keeps the pod from the metadata service: set networkPolicy.metadata=true." }}
{{- end }}
{{- if and (eq $v.serviceMonitor.scheme "https") (not $v.webConfig.existingSecret) }}
{{- fail "serviceMonitor.scheme is https, but the exporter has no certificate: set webConfig.existingSecret." }}
{{- end }}
{{- end }}
