# The image to build from and to run on; any with Node 24 and npm does.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Without install scripts: the only one would fetch the Node that this image already is.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Larder" \
      org.opencontainers.image.description="A pull-through cache and mirror for container registries" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    LARDER_CONFIG=/etc/larder/config.yaml \
    LARDER_LISTEN=0.0.0.0:5000 \
    LARDER_CACHE_DIRECTORY=/var/lib/larder
WORKDIR /app
COPY package.json ./
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY config.yaml /etc/larder/config.yaml
# A user without a name: nothing but the cache is its own, so the root file system may be read-only.
RUN mkdir -m 0700 /var/lib/larder && chown 65532:65532 /var/lib/larder
USER 65532:65532
VOLUME /var/lib/larder
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.LARDER_LISTEN.split(':').at(-1) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Left to itself V8 lets 64 MiB of young objects, and as much of buffers that they hold, wait to be collected.
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/dist/cli/main.js"]
CMD ["serve"]
