"""Variables that the programs of well-known images read, and that a Service of the matching name would overwrite.

Each row is a variable of the program's own documentation whose name a Service's variables can take: `X_PORT`, which
the program expects to be a number, or `X_*` where the program refuses every variable of its prefix that it does not
know. Source: the configuration reference of each project, and what its users on Kubernetes reported.
"""

from __future__ import annotations

_BY_IMAGE: dict[str, tuple[str, ...]] = {
    "authelia/authelia": ("AUTHELIA_*",),
    "buchgr/bazel-remote-cache": ("BAZEL_REMOTE_PORT",),
    "confluentinc/cp-enterprise-kafka": ("KAFKA_PORT",),
    "confluentinc/cp-kafka": ("KAFKA_PORT",),
    "confluentinc/cp-kafka-rest": ("KAFKA_REST_PORT",),
    "confluentinc/cp-schema-registry": ("SCHEMA_REGISTRY_PORT",),
    "confluentinc/cp-server": ("KAFKA_PORT",),
    "dispatcharr/dispatcharr": ("DISPATCHARR_PORT",),
    "drone/drone": ("DRONE_SERVER_PORT",),
    "gotify/server": ("GOTIFY_SERVER_PORT",),
    "gpustack/gpustack": ("GPUSTACK_WORKER_PORT",),
    "guacamole/guacamole": ("GUACD_PORT",),
    "hasura/graphql-engine": ("HASURA_GRAPHQL_SERVER_PORT",),
    "immich-app/immich-server": ("IMMICH_PORT", "REDIS_PORT", "DB_PORT"),
    "jenkins/jenkins": ("JENKINS_SLAVE_AGENT_PORT",),
    "kibana": ("SERVER_PORT",),
    "kibana/kibana": ("SERVER_PORT",),
    "langgenius/dify-api": ("DIFY_PORT", "REDIS_PORT", "DB_PORT"),
    "lmenezes/cerebro": ("CEREBRO_PORT",),
    "metabase/metabase": ("MB_DB_PORT",),
    "moghtech/komodo-core": ("KOMODO_PORT",),
    "n8n-io/n8n": ("N8N_PORT",),
    "n8nio/n8n": ("N8N_PORT",),
    "neo4j": ("NEO4J_*",),
    "open-feature/flagd": ("FLAGD_PORT",),
    "openzipkin/zipkin": ("QUERY_PORT",),
    "paperless-ngx/paperless-ngx": ("PAPERLESS_PORT",),
    "phpmyadmin": ("PMA_PORT",),
    "phpmyadmin/phpmyadmin": ("PMA_PORT",),
    "rediscommander/redis-commander": ("REDIS_PORT",),
    "requarks/wiki": ("DB_PORT",),
    "searxng/searxng": ("SEARXNG_PORT",),
    "semaphoreui/semaphore": ("SEMAPHORE_PORT",),
    "temporalio/auto-setup": ("DB_PORT",),
    "temporalio/ui": ("TEMPORAL_UI_PORT",),
    "vaultwarden/server": ("ROCKET_PORT",),
    "wurstmeister/kafka": ("KAFKA_PORT",),
    "yuzutech/kroki": ("KROKI_PORT",),
}


def variables_read_by(image: str) -> tuple[str, ...]:
    """The variables that the program of an image reads; none for an image that is not in the table.

    The registry, the tag and the digest of the image do not count.
    """
    name = image.split("@", 1)[0]
    head, _, last = name.rpartition("/")
    last = last.split(":", 1)[0]
    owner = head.rpartition("/")[2]
    is_registry = "." in owner or ":" in owner or owner in ("", "library", "localhost")
    return _BY_IMAGE.get(last if is_registry else f"{owner}/{last}", ())
