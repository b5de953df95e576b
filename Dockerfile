# One image for every role; the command chooses: src/boot/{core,gateway,host,inference,retrieval}.ts
FROM node:24-slim AS installed
WORKDIR /app
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY . .
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production TROUPE_HOST=0.0.0.0 TROUPE_DATA=/data TROUPE_MODELS=/app/models
COPY --from=installed --chown=root:root /app /app
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8000
# SIGTERM drains: running steps get TROUPE_GRACE_MS, the rest is released for other hosts.
STOPSIGNAL SIGTERM
CMD ["node", "src/boot/core.ts"]
