# One static binary in an empty image: no shell, no libraries, no root.

FROM rust:1.95-slim AS build
WORKDIR /build
# The allocator is C and comes with a makefile.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --no-install-recommends --yes make && rm -rf /var/lib/apt/lists/*

# libc goes into the binary, and random numbers come from the kernel without /dev. The first needs --target, so that
# build scripts and macros stay as they are.
ENV RUSTFLAGS='-C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom"'

# The files of the documentation page are unpacked while it is built; without this, the time of that would be in the binary.
ENV SOURCE_DATE_EPOCH=0

# The dependencies alone: this layer is made again only when one of the two files changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
    && cargo build --locked --profile dist --target "$(rustc --print host-tuple)"

COPY src src
COPY catalogue catalogue
COPY config config
COPY openapi openapi
# Shown at /version.
ARG COXA_COMMIT=unknown
RUN touch src/main.rs src/lib.rs \
    && cargo build --locked --profile dist --target "$(rustc --print host-tuple)" \
    && install -m 0555 target/*/dist/coxa /coxa

FROM scratch
ARG COXA_COMMIT=unknown
LABEL org.opencontainers.image.title="coxa" \
      org.opencontainers.image.description="Hip pain in runners: ranked causes, urgency, next step of care" \
      org.opencontainers.image.licenses="(MIT OR Apache-2.0) AND CC-BY-4.0" \
      org.opencontainers.image.revision="${COXA_COMMIT}"
COPY --from=build /coxa /coxa
# Others reach this address, so the start is refused until COXA__AUTH__KEYS or COXA__AUTH__MODE=open says who may ask.
ENV COXA__SERVER__LISTEN="0.0.0.0:8080"
EXPOSE 8080
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=4s --start-period=2s --retries=3 CMD ["/coxa", "healthcheck"]
ENTRYPOINT ["/coxa"]
