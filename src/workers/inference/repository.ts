// Which versions of which models are served. The flow of a new version: registry (it appears on disk) → scan →
// resources → load → health (all in the probe's expendable process) → start (its instances) → available. Only then is
// the version before it unloaded; if any stage refuses it, that one simply goes on: the rollback is to change nothing.
import { existsSync } from 'node:fs'
import { fromErrorRecord, TroupeError, toErrorRecord, toTroupeError } from '../../contract/errors.ts'
import type { BatchLimits } from './batcher.ts'
import type { Measurements, ModelEvent } from './measurements.ts'
import { compareVersions, type FoundVersion, findVersions } from './model-folder.ts'
import type { Probe } from './probe.ts'
import type { Provider } from './runner.ts'
import { ServedModel } from './served-model.ts'

export interface RepositorySettings {
  folder: string
  /** How many of a model's newest versions are served. */
  keepVersions: number
  maxModelBytes: number
  providers: readonly Provider[]
  threads: number
  instances: number
  loopMs: number
  batching: BatchLimits
  unloadGraceMs: number
}

type State =
  | { state: 'LOADING'; reason: string }
  | { state: 'READY'; reason: string; served: ServedModel; stamp: string }
  /** Refused or failed: tried again when its files change or when asked to. */
  | { state: 'UNAVAILABLE'; reason: string; stamp: string }
  /** Unloaded by order: stays so until it is loaded by order. */
  | { state: 'UNLOADED'; reason: string }

export interface IndexEntry {
  name: string
  version: string
  state: State['state']
  reason: string
}

export class ModelRepository {
  readonly #settings: RepositorySettings
  readonly #probe: Probe
  readonly #measurements: Measurements
  readonly #onEvent: (event: ModelEvent) => void
  readonly #models = new Map<string, Map<string, State>>()
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(
    settings: RepositorySettings,
    probe: Probe,
    measurements: Measurements,
    onEvent: (event: ModelEvent) => void,
  ) {
    this.#settings = settings
    this.#probe = probe
    this.#measurements = measurements
    this.#onEvent = onEvent
  }

  /** The served version of a model: the one asked for, or the newest that is ready. */
  get(name: string, version: string): ServedModel {
    const versions = this.#models.get(name)
    if (versions === undefined) throw new TroupeError('model_not_found', `no model “${name}”`)
    if (version !== '') {
      const found = versions.get(version)
      if (found?.state === 'READY') return found.served
      if (found === undefined) throw new TroupeError('model_not_found', `model “${name}” has no version “${version}”`)
      throw unavailable(name, version, found)
    }
    const newest = this.#ready(name).at(-1)
    if (newest !== undefined) return newest[1]
    const [last = ['', undefined]] = [...versions].slice(-1)
    throw unavailable(name, last[0], last[1])
  }

  readyVersions(name: string): string[] {
    return this.#ready(name).map(([version]) => version)
  }

  index(): IndexEntry[] {
    return [...this.#models].flatMap(([name, versions]) =>
      [...versions].map(([version, at]) => {
        const reason = at.state === 'READY' ? at.served.moved : at.reason
        return { name, version, state: at.state, reason }
      }),
    )
  }

  /** Makes what is served equal to what lies on disk. One change at a time, in the order of asking. */
  async scan(): Promise<void> {
    await this.#alone(async () => {
      // A volume that is away for a moment must not unload what serves from memory.
      if (this.#models.size > 0 && !existsSync(this.#settings.folder)) return
      const found = findVersions(this.#settings.folder)
      const names = new Set([...found.map(({ name }) => name), ...this.#models.keys()])
      // While one model's instances start, the probe tries the next one (one at a time): the worker serves sooner.
      const settled = await Promise.allSettled(
        Array.from(names, (name) => {
          const versions = found.filter((version) => version.name === name)
          return this.#settle(name, versions)
        }),
      )
      for (const each of settled) if (each.status === 'rejected') throw each.reason
    })
  }

  /** Loads by order: also what was refused or unloaded before. Throws the reason when it is refused. */
  async load(name: string, version?: string): Promise<void> {
    await this.#alone(async () => {
      const found = findVersions(this.#settings.folder).filter((each) => each.name === name)
      const wanted = version === undefined ? found.at(-1) : found.find((each) => each.version === version)
      if (wanted === undefined) {
        throw new TroupeError(
          'model_not_found',
          `no model “${name}”${version === undefined ? '' : ` version ${version}`}`,
        )
      }
      const refused = await this.#deploy(wanted)
      if (refused !== undefined) throw refused
      if (version === undefined) await this.#settle(name, found)
    })
  }

  async unload(name: string, version?: string): Promise<void> {
    await this.#alone(async () => {
      const versions = this.#models.get(name)
      if (versions === undefined) throw new TroupeError('model_not_found', `no model “${name}”`)
      for (const each of version === undefined ? [...versions.keys()] : [version]) {
        await this.#stop(name, each)
        versions.set(each, { state: 'UNLOADED', reason: 'unloaded by order' })
      }
    })
  }

  async close(graceMs: number): Promise<void> {
    this.#closed = true
    this.#probe.close()
    await this.#last
    const served = [...this.#models.keys()].flatMap((name) => this.#ready(name).map(([, model]) => model))
    await Promise.all(served.map((model) => model.stop(graceMs)))
  }

  #alone(run: () => Promise<void>): Promise<void> {
    const next = this.#last.then(async () => {
      if (this.#closed) throw new TroupeError('draining', 'the worker is shutting down')
      await run()
    })
    this.#last = next.catch(() => {})
    return next
  }

  #ready(name: string): [string, ServedModel][] {
    const ready: [string, ServedModel][] = []
    for (const [version, state] of this.#models.get(name) ?? []) {
      if (state.state === 'READY') ready.push([version, state.served])
    }
    return ready.sort(([one], [other]) => compareVersions(one, other))
  }

  async #settle(name: string, found: FoundVersion[]): Promise<void> {
    const states = this.#statesOf(name)
    // The newest first; each one that is refused lets an older one in.
    let room = this.#settings.keepVersions
    const kept = new Set<string>()
    for (const version of found.toReversed()) {
      if (room === 0) break
      const state = states.get(version.version)
      if (state?.state === 'UNLOADED' || (state?.state === 'UNAVAILABLE' && state.stamp === version.stamp)) continue
      const unchanged = state?.state === 'READY' && state.stamp === version.stamp
      const refused = unchanged ? undefined : await this.#deploy(version)
      if (refused !== undefined && state?.state !== 'READY') continue
      kept.add(version.version)
      room--
    }
    for (const [version, state] of [...states]) {
      if (kept.has(version)) continue
      if (state.state === 'READY') await this.#stop(name, version)
      if (state.state === 'READY' || !found.some((each) => each.version === version)) states.delete(version)
    }
    if (states.size === 0) this.#models.delete(name)
  }

  /** Undefined when it is available now; else why it was refused. */
  async #deploy(found: FoundVersion): Promise<TroupeError | undefined> {
    const { name, version, folder, stamp } = found
    const states = this.#statesOf(name)
    const before = states.get(version)
    const { providers, maxModelBytes } = this.#settings
    if (before?.state !== 'READY') states.set(version, { state: 'LOADING', reason: '' })
    this.#onEvent({ type: 'stage', model: name, version, stage: 'registry' })
    let stage: string = 'scan'
    try {
      const report = await this.#probe.check({ folder, providers, maxBytes: maxModelBytes })
      if (!report.ok) {
        stage = report.stage
        throw fromErrorRecord(report.error)
      }
      for (const passed of ['scan', 'resources', 'load', 'health'] as const) {
        this.#onEvent({ type: 'stage', model: name, version, stage: passed })
      }
      stage = 'start'
      const { model, sha256, facts, signature } = report
      const served = await ServedModel.start({
        ...this.#settings,
        name,
        version,
        folder,
        model,
        sha256,
        facts,
        // Those before it are not available here, as the probe has found.
        providers: providers.slice(providers.indexOf(signature.provider)),
        passedOver: signature.passedOver,
        instances: model.instances ?? this.#settings.instances,
        batching: { ...this.#settings.batching, ...definedOnly(model.batching) },
        measurements: this.#measurements,
        onFailed: (error) => this.#failed(found, error),
      })
      states.set(version, { state: 'READY', reason: '', served, stamp })
      this.#measurements.available(found, served.signature.provider)
      const { provider } = served.signature
      this.#onEvent({ type: 'available', model: name, version, provider, passedOver: signature.passedOver })
      if (before?.state === 'READY') await before.served.stop(this.#settings.unloadGraceMs)
      return undefined
    } catch (thrown) {
      const error = toTroupeError(thrown, 'model_invalid')
      // What serves under this version goes on; the changed files are not tried again until they change again.
      if (before?.state === 'READY') states.set(version, { ...before, stamp })
      else states.set(version, { state: 'UNAVAILABLE', reason: error.message, stamp })
      const serving = this.readyVersions(name).at(-1)
      this.#onEvent({ type: 'refused', model: name, version, stage, error, serving })
      return new TroupeError(error.code, `${name} version ${version} refused at ${stage}: ${error.message}`)
    }
  }

  /** A version that was available and can no longer run: the newest other one on disk takes its place. */
  #failed({ name, version, stamp }: FoundVersion, error: TroupeError): void {
    const states = this.#statesOf(name)
    states.set(version, { state: 'UNAVAILABLE', reason: toErrorRecord(error).message, stamp })
    this.#measurements.available({ name, version }, undefined)
    this.#onEvent({ type: 'failed', model: name, version, error })
    this.scan().catch(() => {})
  }

  async #stop(name: string, version: string): Promise<void> {
    const state = this.#models.get(name)?.get(version)
    if (state?.state !== 'READY') return
    // Out of the map first: nobody new finds it while it answers what it has.
    this.#statesOf(name).set(version, { state: 'UNLOADED', reason: 'being unloaded' })
    await state.served.stop(this.#settings.unloadGraceMs)
    this.#measurements.available({ name, version }, undefined)
    this.#onEvent({ type: 'unloaded', model: name, version })
  }

  #statesOf(name: string): Map<string, State> {
    let states = this.#models.get(name)
    if (states === undefined) {
      states = new Map()
      this.#models.set(name, states)
    }
    return states
  }
}

function unavailable(name: string, version: string, state: State | undefined): TroupeError {
  const why = state === undefined ? '' : `${state.state.toLowerCase()} ${state.reason}`
  return new TroupeError('worker_unavailable', `model “${name}” version “${version}” is not ready: ${why.trim()}`)
}

function definedOnly(
  batching: Partial<Record<keyof BatchLimits, number | undefined>> | undefined,
): Partial<BatchLimits> {
  return Object.fromEntries(Object.entries(batching ?? {}).filter(([, value]) => value !== undefined))
}
