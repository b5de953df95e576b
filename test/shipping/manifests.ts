// The shipped files, parsed: the compose file, the kustomize folders, the rules and the dashboard.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

export const ROOT = join(import.meta.dirname, '..', '..')
export const text = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** An object of a manifest, as loose as YAML is. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into manifests of every kind
export type Manifest = any

export const compose: Manifest = parse(text('docker-compose.yml'), { merge: true })
export const kustomizations = globSync('k8s/**/kustomization.yaml', { cwd: ROOT }).sort()

/** Every object that a kustomization brings, with those it builds on. Patches are not applied. */
export function objectsOf(kustomization: string): Manifest[] {
  const folder = dirname(kustomization)
  const { resources = [], components = [] } = parse(text(kustomization)) as Record<string, string[]>
  return [...resources, ...components].flatMap((entry) => {
    const path = join(folder, entry)
    if (existsSync(join(ROOT, path, 'kustomization.yaml'))) return objectsOf(join(path, 'kustomization.yaml'))
    return parseAllDocuments(text(path)).map((document) => document.toJS())
  })
}

export const production = objectsOf('k8s/overlays/production/kustomization.yaml')
export const ofKind = (kind: string) => production.filter((object) => object.kind === kind)
export const deployments: Manifest[] = ofKind('Deployment')
export const named = (kind: string, name: string) => ofKind(kind).find(({ metadata }) => metadata.name === name)

export const rules: { alert: string; expr: string }[] = parse(text('k8s/monitoring/alerts.yaml')).groups.flatMap(
  (group: Manifest) => group.rules,
)
export const dashboard: Manifest = JSON.parse(text('k8s/monitoring/dashboard.json'))
export const queries: string[] = dashboard.panels.flatMap((panel: Manifest) =>
  (panel.targets ?? []).map(({ expr }: { expr: string }) => expr),
)

/** The metrics that a query asks for. */
export function metricsOf(query: string): string[] {
  return [...query.matchAll(/\b(troupe|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name)
}
