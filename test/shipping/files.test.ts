// What cannot run here (an image, a cluster) is held against the code: programs, settings and names that the files use
// exist, and what one file refers to is in another.
import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { createSubjects } from '../../src/bus/nats/subjects.ts'
import { LANES } from '../../src/contract/task.ts'
import {
  compose,
  dashboard,
  deployments,
  kustomizations,
  type Manifest,
  named,
  objectsOf,
  ofKind,
  production,
  ROOT,
  rules,
  text,
} from './manifests.ts'

const files = ['Dockerfile', 'docker-compose.yml', ...globSync('k8s/**/*.yaml', { cwd: ROOT })]
const boot = globSync('src/boot/*.ts', { cwd: ROOT }).map(text).join('\n')
const services = Object.entries<Manifest>(compose.services)
const ours = services.filter(([, service]) => service.build !== undefined)

test('every program that an image or a manifest starts exists', () => {
  const programs = files.flatMap((file) =>
    [...text(file).matchAll(/src\/boot\/[a-z-]+\.ts/g)].map(([program]) => program),
  )
  assert.ok(programs.length >= 9)
  for (const program of programs) assert.ok(existsSync(join(ROOT, program)), program)
})

test('every setting that they make is one that the processes read', () => {
  const settings = files.flatMap((file) =>
    [...text(file).matchAll(/\bTROUPE_[A-Z_]+\b/g)].map(([name]) => ({ file, name })),
  )
  // Which image to run is compose's own; the other is JetStream's stream.
  const others = ['TROUPE_IMAGE', createSubjects('troupe').offersStream]
  assert.deepEqual(
    settings.filter(({ name }) => !others.includes(name) && !boot.includes(name)),
    [],
  )
})

test('the image is not root’s, and its entry is one of the roles', () => {
  assert.match(text('Dockerfile'), /^USER 1000:1000$/m)
  assert.match(text('Dockerfile'), /^CMD \["node", "src\/boot\/core\.ts"\]$/m)
})

test('compose: every role runs, none can write its code, each has a health check, limits and time to drain', () => {
  assert.deepEqual(ours.map(([name]) => name).sort(), ['gateway', 'host', 'inference', 'retrieval'])
  for (const [name, service] of ours) {
    assert.deepEqual(service.command, ['node', `src/boot/${name}.ts`])
    assert.equal(service.read_only, true, name)
    assert.deepEqual(service.cap_drop, ['ALL'], name)
    assert.equal(service.stop_grace_period, '20s')
  }
  for (const [name, service] of services) {
    assert.ok(service.healthcheck?.test.length > 1, `${name} has a health check`)
    const { cpus, memory } = service.deploy.resources.limits
    assert.ok(cpus !== undefined && memory !== undefined, `${name} has limits`)
    // Swarm takes a list only; with conditions it refuses the whole file.
    for (const other of service.depends_on ?? []) assert.ok(other in compose.services, `${name} → ${other}`)
    for (const volume of service.volumes ?? [])
      assert.ok(volume.split(':')[0] in compose.volumes, `${name} → ${volume}`)
    for (const { source } of service.configs ?? []) assert.ok(source in compose.configs, `${name} → ${source}`)
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, `${name} is open to this machine only`)
  }
  for (const { file } of Object.values<Manifest>(compose.configs)) assert.ok(existsSync(join(ROOT, file)), file)
})

test('compose: Prometheus asks names and ports that serve metrics', () => {
  const { scrape_configs } = parse(text('k8s/monitoring/prometheus.yaml'))
  const metricsPort = Number(compose.services.host.environment.TROUPE_METRICS_ADDRESS.split(':')[1])
  for (const { job_name, dns_sd_configs } of scrape_configs) {
    const [{ names, port }] = dns_sd_configs
    assert.deepEqual(names, [job_name])
    assert.ok(ours.some(([name]) => name === job_name))
    assert.equal(port, job_name === 'gateway' ? 8000 : metricsPort)
  }
  assert.equal(scrape_configs.length, ours.length)
})

test('kustomize: what a folder lists exists, and is listed', () => {
  for (const kustomization of kustomizations) {
    const folder = dirname(kustomization)
    const { resources = [], components = [], configMapGenerator = [] } = parse(text(kustomization))
    const generated = configMapGenerator.flatMap((map: Manifest) =>
      (map.files ?? []).map((file: string) => file.split('=').at(-1)),
    )
    for (const entry of [...resources, ...components, ...generated])
      assert.ok(existsSync(join(ROOT, folder, entry)), `${kustomization} → ${entry}`)
    assert.ok(folder === 'k8s/monitoring' || objectsOf(kustomization).length > 0 || kustomization.includes('/gpu/'))
  }
  const listed = new Set(kustomizations.flatMap((path) => parse(text(path)).resources ?? []))
  for (const file of globSync('k8s/{base,components}/**/*.yaml', { cwd: ROOT })) {
    const name = file.split('/').at(-1)!
    if (name !== 'kustomization.yaml') assert.ok(listed.has(name), `${file} is listed`)
  }
})

test('pods: not root, nothing to write but /data and /tmp, limits, probes at ports they have', () => {
  assert.deepEqual(deployments.map(({ metadata }) => metadata.name).sort(), [
    'gateway',
    'host',
    'inference',
    'retrieval',
  ])
  for (const { metadata, spec } of deployments) {
    const pod = spec.template.spec
    const where = metadata.name
    assert.equal(pod.securityContext.runAsNonRoot, true, where)
    assert.equal(pod.automountServiceAccountToken, false, where)
    assert.deepEqual(spec.selector.matchLabels, { app: where })
    assert.equal(spec.template.metadata.labels.app, where)
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
      const { securityContext, resources, volumeMounts } = container
      assert.equal(securityContext.readOnlyRootFilesystem, true, where)
      assert.equal(securityContext.allowPrivilegeEscalation, false, where)
      assert.deepEqual(securityContext.capabilities.drop, ['ALL'])
      assert.ok(resources.limits.memory && resources.requests.cpu, where)
      const volumes = pod.volumes.map(({ name }: { name: string }) => name)
      for (const { name } of volumeMounts) assert.ok(volumes.includes(name), `${where} → ${name}`)
    }
    const [container] = pod.containers
    assert.deepEqual(container.command, ['node', `src/boot/${where}.ts`])
    const ports: { name: string; containerPort: number }[] = container.ports
    for (const probe of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
      const { httpGet, grpc } = container[probe]
      const port = httpGet?.port ?? grpc.port
      assert.ok(
        ports.some(({ name, containerPort }) => name === port || containerPort === port),
        `${where} ${probe}`,
      )
    }
    const scraped = Number(spec.template.metadata.annotations['prometheus.io/port'])
    assert.ok(
      ports.some(({ containerPort }) => containerPort === scraped),
      `${where} is scraped at ${scraped}`,
    )
  }
})

test('pods are given the time that a drain takes', () => {
  const { configMapGenerator } = parse(text('k8s/base/kustomization.yaml'))
  const grace = configMapGenerator[0].literals.find((entry: string) => entry.startsWith('TROUPE_GRACE_MS='))
  const graceSeconds = Number(grace.split('=')[1]) / 1_000
  const CLOSING_SECONDS = 5
  for (const { metadata, spec } of deployments) {
    const { terminationGracePeriodSeconds, containers } = spec.template.spec
    const before = Number(containers[0].lifecycle?.preStop.exec.command[1] ?? 0)
    const isWorker = ['inference', 'retrieval'].includes(metadata.name)
    const needed = before + (isWorker ? 10 : graceSeconds) + CLOSING_SECONDS
    assert.ok(terminationGracePeriodSeconds >= needed, `${metadata.name}: ${terminationGracePeriodSeconds} < ${needed}`)
  }
})

test('services, budgets, scalers and policies name what exists', () => {
  for (const { metadata, spec } of ofKind('Service')) {
    const target = named('Deployment', spec.selector.app)
    const ports = target.spec.template.spec.containers[0].ports.map(({ name }: { name: string }) => name)
    for (const { targetPort } of spec.ports) assert.ok(ports.includes(targetPort), `${metadata.name}:${targetPort}`)
  }
  for (const { spec } of ofKind('PodDisruptionBudget')) assert.ok(named('Deployment', spec.selector.matchLabels.app))
  for (const kind of ['HorizontalPodAutoscaler', 'ScaledObject'])
    for (const { spec } of ofKind(kind)) assert.ok(named('Deployment', spec.scaleTargetRef.name), kind)
  const apps = new Set(deployments.map(({ metadata }) => metadata.name))
  for (const policy of ofKind('NetworkPolicy'))
    for (const [, app] of JSON.stringify(policy.spec).matchAll(/"app":"([a-z]+)"/g)) assert.ok(apps.has(app), app)
  const workers = parse(text('k8s/base/kustomization.yaml')).configMapGenerator[0].literals as string[]
  for (const [, name, port] of workers.join('\n').matchAll(/_URL=([a-z]+):(\d+)/g)) {
    assert.equal(named('Service', name!)?.spec.ports[0].port, Number(port))
  }
})

test('nothing is reachable that no policy names, and nothing reaches out', () => {
  const nothing = named('NetworkPolicy', 'nothing')
  assert.deepEqual(nothing.spec, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
  assert.equal(production[0].metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted')
})

test('gateways scale on CPU over 70 % up to ten, hosts on more than 50 pending messages up to twenty', () => {
  const gateway = named('HorizontalPodAutoscaler', 'gateway').spec
  assert.equal(gateway.maxReplicas, 10)
  assert.equal(gateway.metrics[0].resource.target.averageUtilization, 70)
  const host = named('ScaledObject', 'host').spec
  assert.equal(host.maxReplicaCount, 20)
  for (const { metadata } of host.triggers) assert.equal(metadata.lagThreshold, '50')
})

test('the scaler watches the consumers that the bus creates: each lane of each agent that ships', () => {
  const subjects = createSubjects('troupe')
  const agents = globSync('agents/*/package.json', { cwd: ROOT }).map((path) => dirname(path).split('/').at(-1)!)
  const { triggers } = named('ScaledObject', 'host').spec
  for (const { type, metadata } of triggers) {
    assert.equal(type, 'nats-jetstream')
    assert.equal(metadata.stream, subjects.offersStream)
  }
  assert.deepEqual(
    triggers.map(({ metadata }: Manifest) => metadata.consumer).sort(),
    agents.flatMap((agent) => LANES.map((lane) => subjects.offerConsumer(lane, agent))).sort(),
  )
})

test('every alert says what is wrong and how urgent it is; every panel has a query', () => {
  for (const rule of rules as Manifest[]) {
    assert.match(rule.alert, /^Troupe[A-Z]/)
    assert.ok(rule.annotations.summary.length > 10, rule.alert)
    assert.ok(['page', 'ticket'].includes(rule.labels.severity), rule.alert)
  }
  const ids = dashboard.panels.map(({ id }: Manifest) => id)
  assert.equal(new Set(ids).size, ids.length)
  for (const { type, title, targets } of dashboard.panels) assert.ok(type === 'row' || targets.length > 0, title)
})
