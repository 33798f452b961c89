# syntax=docker/dockerfile:1
# One build, one small image per binary: docker build --target router .
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --bins \
    --package baedal --package baedal-router --package baedal-auth \
    --package baedal-order --package baedal-payment --package baedal-store --package baedal-marketing \
    && mkdir /out && cp target/release/baedal target/release/baedal-* /out/ && rm -f /out/*.d

FROM debian:bookworm-slim AS base
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home baedal \
    && install --directory --owner baedal /data
COPY deploy/healthcheck /usr/local/bin/healthcheck
USER 10001

FROM base AS router
COPY --from=build /out/baedal-router /usr/local/bin/
EXPOSE 4000
ENTRYPOINT ["baedal-router"]
CMD ["serve"]

FROM base AS auth
COPY --from=build /out/baedal-auth /usr/local/bin/
EXPOSE 4001
ENTRYPOINT ["baedal-auth"]

FROM base AS order
COPY --from=build /out/baedal-order /usr/local/bin/
EXPOSE 4011
ENTRYPOINT ["baedal-order"]

FROM base AS payment
COPY --from=build /out/baedal-payment /usr/local/bin/
EXPOSE 4012 4022
ENTRYPOINT ["baedal-payment"]

FROM base AS store
COPY --from=build /out/baedal-store /usr/local/bin/
EXPOSE 4013
ENTRYPOINT ["baedal-store"]

FROM base AS marketing
COPY --from=build /out/baedal-marketing /usr/local/bin/
EXPOSE 4014
ENTRYPOINT ["baedal-marketing"]

# The whole platform in one process on embedded stores. All its parts listen on the loopback address of the
# network they run in: docker run --network host -v baedal:/data IMAGE
FROM base AS platform
COPY --from=build /out/baedal /usr/local/bin/
WORKDIR /data
VOLUME /data
EXPOSE 4000 4001
ENTRYPOINT ["baedal", "--data", "/data"]
