// A supervisor as data: the trees in supervisors/ are made of these.
import { TroupeError } from '../contract/errors.ts'
import type { AutoShutdown, ChildSpec } from './child-spec.ts'

/**
 * Who is restarted when one child is: `one_for_one` it alone; `one_for_all` all; `rest_for_one` it and those started
 * after it. `dynamic`: like one_for_one, for many alike children that come and go; it starts with none, forgets those
 * that end, and stops them all at the same time.
 */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'dynamic'

export interface SupervisorSpec {
  /** Its place in paths; without `/`. */
  id: string
  /** Default `one_for_one`. */
  strategy?: Strategy
  /** So many restarts within `period` are allowed; one more and the supervisor gives up. Default 1, as in OTP. */
  intensity?: number
  /** Milliseconds. Default 5,000, as in OTP. */
  period?: number
  /** A child that worked so long has its restarts forgiven and its backoff reset. Milliseconds; default `period`. */
  forgiveAfter?: number
  /** Does the end of one, or of the last, significant child end the supervisor? Default `never`. */
  autoShutdown?: AutoShutdown
  /** Started in this order, stopped in reverse. None for `dynamic`. */
  children?: ChildSpec[]
  /** At its end: stop the children at the same time, not one after another. For children that are alike. Default: only a dynamic one. */
  stopTogether?: boolean
  /** More are refused as overloaded. Default: no limit. */
  maxChildren?: number
}

export type CompleteSupervisorSpec = Required<SupervisorSpec>

export function completeSupervisorSpec(spec: SupervisorSpec, path: string): CompleteSupervisorSpec {
  const period = spec.period ?? 5_000
  const complete: CompleteSupervisorSpec = {
    id: spec.id,
    strategy: spec.strategy ?? 'one_for_one',
    intensity: spec.intensity ?? 1,
    period,
    forgiveAfter: spec.forgiveAfter ?? period,
    autoShutdown: spec.autoShutdown ?? 'never',
    children: spec.children ?? [],
    stopTogether: spec.stopTogether ?? spec.strategy === 'dynamic',
    maxChildren: spec.maxChildren ?? Number.POSITIVE_INFINITY,
  }
  const fault = supervisorFault(complete)
  if (fault !== undefined) throw new TroupeError('configuration_invalid', `supervisor ${path}: ${fault}`)
  return complete
}

function supervisorFault(spec: CompleteSupervisorSpec): string | undefined {
  if (typeof spec.id !== 'string' || spec.id === '' || spec.id.includes('/')) {
    return `the id ${JSON.stringify(spec.id)} is not a non-empty text without "/"`
  }
  if (!['one_for_one', 'one_for_all', 'rest_for_one', 'dynamic'].includes(spec.strategy)) {
    return `strategy is ${spec.strategy}; it must be one_for_one, one_for_all, rest_for_one or dynamic`
  }
  if (!(spec.intensity >= 0)) return `intensity is ${spec.intensity}; it must be 0 or more`
  if (!(spec.period > 0)) return `period is ${spec.period}; it must be more than 0 milliseconds`
  if (!(spec.forgiveAfter >= 0)) return `forgiveAfter is ${spec.forgiveAfter}; it must be 0 or more milliseconds`
  if (!['never', 'any_significant', 'all_significant'].includes(spec.autoShutdown)) {
    return `autoShutdown is ${spec.autoShutdown}; it must be never, any_significant or all_significant`
  }
  if (!(spec.maxChildren >= 0)) return `maxChildren is ${spec.maxChildren}; it must be 0 or more`
  if (spec.strategy === 'dynamic' && spec.children.length > 0) {
    return 'a dynamic supervisor starts without children; add them with startChild'
  }
  const ids = spec.children.map((child) => child.id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  return twice === undefined ? undefined : `two children have the id ${twice}`
}
