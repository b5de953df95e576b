// Labels on the command line: --label key=value, as often as there are labels.
import { TroupeError } from '../contract/errors.ts'

/** For commander: each occurrence is one more. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

export function labelsOf(given: string[] = []): [key: string, value: string][] {
  return given.map((label) => {
    const at = label.indexOf('=')
    if (at < 1) throw new TroupeError('invalid_command', `--label ${label}: a label is key=value.`)
    return [label.slice(0, at), label.slice(at + 1)]
  })
}

/** As the API filters by them. */
export function labelFilters(given: string[] | undefined): string[] | undefined {
  return given === undefined ? undefined : labelsOf(given).map(([key, value]) => `${key}:${value}`)
}

/** What a submission takes of --label and --callback. */
export function attachments(options: { label?: string[]; callback?: string }): object {
  const { label, callback } = options
  return {
    ...(label === undefined ? {} : { labels: Object.fromEntries(labelsOf(label)) }),
    ...(callback === undefined ? {} : { callback: { url: callback } }),
  }
}
