#!/usr/bin/env bash
# What somebody would write by hand instead of `proxyproof check`: boots the two containers of the guide with the docker
# CLI, waits until they are ready, asks twelve times with curl and four times with openssl, and takes them away.
#
#   NGINX_IMAGE=… PROMETHEUS_IMAGE=… ci/bench/baseline.sh
#
# CERTIFICATES names a directory that keeps the certificates from one call to the next, so that their making is not
# measured; without it they are made for this call alone. The host must reach a container's address, as Linux does.
set -euo pipefail

: "${NGINX_IMAGE:?is the image of nginx, such as nginx:1.29}"
: "${PROMETHEUS_IMAGE:?is the image of Prometheus, such as prom/prometheus:v3.5.0}"

guide="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/fixtures/guide"
name="proxyproof-baseline-$$"
scratch=""

main() {
    trap clean_up EXIT
    if [[ -z ${CERTIFICATES:-} ]]; then
        scratch="$(mktemp -d)"
        CERTIFICATES="$scratch"
    fi
    [[ -e $CERTIFICATES/example.com.crt ]] || make_certificates
    boot
    wait_until_ready
    ask
    shake_hands
}

make_certificates() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=proxyproof baseline CA" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$CERTIFICATES/ca.key" -out "$CERTIFICATES/ca.crt" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=example.com" \
        -keyout "$CERTIFICATES/example.com.key" -out "$CERTIFICATES/example.com.csr" 2>/dev/null
    openssl x509 -req -in "$CERTIFICATES/example.com.csr" -days 30 \
        -CA "$CERTIFICATES/ca.crt" -CAkey "$CERTIFICATES/ca.key" -CAcreateserial \
        -extfile <(echo "subjectAltName=DNS:example.com") \
        -out "$CERTIFICATES/example.com.crt" 2>/dev/null
}

boot() {
    docker run --detach --name "$name-prometheus" \
        --volume "$guide/prometheus.yml:/etc/prometheus/prometheus.yml:ro" \
        "$PROMETHEUS_IMAGE" \
        --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus \
        --web.external-url=https://example.com/prometheus --web.route-prefix=/ >/dev/null
    docker run --detach --name "$name-nginx" --network "container:$name-prometheus" \
        --volume "$guide/nginx.conf:/etc/nginx/nginx.conf:ro" \
        --volume "$CERTIFICATES:/root/certs/example.com:ro" \
        "$NGINX_IMAGE" >/dev/null
    address="$(docker inspect --format '{{.NetworkSettings.IPAddress}}' "$name-prometheus")"
}

get() {
    curl --silent --show-error --fail --max-time 10 --output /dev/null \
        --cacert "$CERTIFICATES/ca.crt" --resolve "example.com:443:$address" "$@"
}

wait_until_ready() {
    local end=$((SECONDS + 30))
    until get https://example.com/prometheus/-/ready 2>/dev/null; do
        if ((SECONDS > end)); then
            echo "Prometheus was not ready within 30 s" >&2
            docker logs --tail 20 "$name-prometheus" >&2 || true
            docker logs --tail 20 "$name-nginx" >&2 || true
            exit 3
        fi
    done
}

ask() {
    local url=https://example.com/prometheus
    get "$url"
    get "$url/"
    get --location "$url/"
    get "$url/-/healthy"
    get "$url/metrics"
    get "$url/api/v1/query?query=up"
    get --data query=up "$url/api/v1/query"
    get "$url/api/v1/targets"
    get "$url/api/v1/status/buildinfo"
    get "$url/api/v1/status/config"
    get "$url/api/v1/labels"
    get --insecure "$url/-/ready"
}

shake_hands() {
    local options
    for options in "" "-tls1_2" "-tls1_3" "-servername other.example"; do
        # shellcheck disable=SC2086 # the options are words
        openssl s_client -connect "$address:443" -servername example.com \
            -CAfile "$CERTIFICATES/ca.crt" -verify_return_error $options \
            </dev/null >/dev/null 2>&1
    done
}

clean_up() {
    docker rm --force --volumes "$name-nginx" "$name-prometheus" >/dev/null 2>&1 || true
    [[ -z $scratch ]] || rm -rf "$scratch"
}

main
