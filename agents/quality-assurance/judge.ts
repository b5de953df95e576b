// Findings and policy to the verdict. Each reason says which verdict it asks for; the gravest decides.
import { formatFigure } from '@troupe/tools/insights/discover'
import type { Reaction } from './policy.ts'
import { type Reason, type Report, type Request, VERDICTS, type Verdict } from './request.ts'

export type Findings = Omit<Report, 'verdict' | 'reasons' | 'summary'>

export function judge(findings: Findings, { policy }: Request): Pick<Report, 'verdict' | 'reasons' | 'summary'> {
  const reasons: Reason[] = []
  const add = (reaction: Reaction, matter: string, text: string) => {
    reasons.push({ verdict: reaction === 'allow' ? 'pass' : reaction, matter, text })
  }
  const { scores, violations, anomalies, drift, compliance, claims, warnings } = findings
  if (scores !== undefined) {
    const text = `overall score ${scores.overall.toFixed(4)} (${scores.how})`
    if (scores.overall < policy.failBelow) add('fail', 'score', `${text} is below ${policy.failBelow}`)
    else if (scores.overall < policy.warnBelow) add('warn', 'score', `${text} is below ${policy.warnBelow}`)
  }
  for (const one of violations.filter((violation) => !violation.holds)) {
    const rows = one.examples.flatMap((example) => example.row ?? []).slice(0, 5)
    const where =
      rows.length === 0
        ? ''
        : ` (${rows.length === 1 ? 'row' : 'rows'} ${rows.join(', ')}${one.broken > rows.length ? ' …' : ''})`
    add(
      one.severity === 'error' ? 'fail' : 'warn',
      one.dimension,
      `"${one.expectation}" is broken by ${one.broken} of ${one.checked}${where}`,
    )
  }
  if (anomalies.length > 0)
    add(
      policy.anomalies,
      'anomalies',
      `${anomalies.length === 1 ? '1 value does' : `${anomalies.length} values do`} not fit the series around: ${describeAnomaly(anomalies[0]!)}`,
    )
  if (drift !== undefined && drift.drift !== 'none') {
    const moved = drift.columns.filter((column) => column.drift !== 'none').map((column) => column.text)
    add(
      drift.drift === 'strong' ? policy.drift : policy.drift === 'allow' ? 'allow' : 'warn',
      'drift',
      moved.slice(0, 5).join('; '),
    )
  }
  for (const one of compliance) {
    const reaction =
      one.matter === 'secret' ? policy.secrets : one.matter === 'personal data' ? policy.personalData : 'fail'
    add(reaction, one.matter, one.text)
  }
  for (const one of claims) {
    if (one.verdict === 'contradicted')
      add(policy.claims, 'claims', `contradicted by the data: ${one.text} (${one.reasons.join('; ')})`)
    if (one.verdict === 'unsupported')
      add(
        policy.claims === 'allow' ? 'allow' : 'warn',
        'claims',
        `not supported: ${one.text} (${one.reasons.join('; ')})`,
      )
  }
  for (const text of warnings) add('warn', 'reading', text)
  reasons.sort((a, b) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict))
  const verdict: Verdict = reasons[0]?.verdict ?? 'pass'
  return { verdict, reasons, summary: summarise(verdict, reasons, findings) }
}

function describeAnomaly({ measure, value, expected, time }: Report['anomalies'][number]): string {
  const usual = expected === undefined ? '' : ` where about ${formatFigure(expected)} is expected`
  return `${measure} ${formatFigure(value)}${time === undefined ? '' : ` at ${time}`}${usual}`
}

function summarise(verdict: Verdict, reasons: Reason[], { scores, expectations }: Findings): string {
  const score =
    scores === undefined ? '' : ` Overall score ${scores.overall.toFixed(3)} over ${expectations} expectations.`
  const grave = reasons.filter((reason) => reason.verdict === verdict && verdict !== 'pass').slice(0, 3)
  const why =
    grave.length === 0
      ? ' Nothing speaks against it.'
      : ` ${grave.map((reason) => `${reason.matter}: ${reason.text}`).join('. ')}.`
  return `Verdict ${verdict}.${score}${why}`
}
