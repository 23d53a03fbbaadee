# Builds the executable with the pinned Deno; the image that runs holds nothing else, and runs as nobody special.
#
#   docker build -t switchyard .
#   docker run -p 8888:8888 -v "$PWD/routes.yaml:/etc/switchyard/routes.yaml:ro" switchyard

FROM denoland/deno:2.9.6 AS builder
WORKDIR /build
COPY deno.json deno.lock main.ts ./
COPY lib lib
COPY scripts scripts
RUN deno task compile

# glibc and libgcc, which the executable is linked with
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=builder /build/dist/switchyard /usr/local/bin/switchyard
# where `serve` looks for routes.yaml
WORKDIR /etc/switchyard
EXPOSE 8888
ENTRYPOINT ["/usr/local/bin/switchyard"]
CMD ["serve"]
