# The executable, made with the pinned Deno, and nothing else. How to run it: docs/deploy.md
#
#   docker build -t switchyard .
#   docker run --read-only --stop-timeout 45 -p 8888:8888 -v "$PWD/config:/etc/switchyard:ro" switchyard
#
# Tags can be moved: --build-arg DENO_IMAGE=…@sha256:… and RUNTIME_IMAGE=…@sha256:… pin both images by digest, as the
# release workflow does.
ARG DENO_IMAGE=denoland/deno:2.9.6
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

# compiles for another architecture as well, so nothing has to be emulated
FROM --platform=$BUILDPLATFORM ${DENO_IMAGE} AS builder
ARG TARGETARCH=amd64
WORKDIR /build
RUN case "$TARGETARCH" in \
      amd64) echo x86_64-unknown-linux-gnu ;; \
      arm64) echo aarch64-unknown-linux-gnu ;; \
      *) echo "no executable for $TARGETARCH" >&2; exit 1 ;; \
    esac > target
# packages and the base binary, in a layer that stays until versions change
COPY deno.json deno.lock ./
RUN deno install --frozen \
    && touch empty.ts \
    && deno compile --no-config --target "$(cat target)" --output /tmp/empty empty.ts \
    && rm /tmp/empty empty.ts
COPY main.ts ./
COPY lib lib
COPY scripts/compile.ts scripts/
RUN deno task compile --target "$(cat target)" \
    && mv "dist/switchyard-$(cat target)" dist/switchyard

# glibc and libgcc, which the executable is linked with; no shell
FROM ${RUNTIME_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Switchyard" \
      org.opencontainers.image.description="A TCP connection balancer that routes each connection by the ID that the client sends first" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /build/dist/switchyard /usr/local/bin/switchyard
# the folder is mounted, not the file: a file that is mounted alone never changes once it is replaced by renaming
WORKDIR /etc/switchyard
USER 65532:65532
EXPOSE 8888
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
  CMD ["/usr/local/bin/switchyard", "health"]
ENTRYPOINT ["/usr/local/bin/switchyard"]
CMD ["serve", "-c", "/etc/switchyard/routes.yaml"]
